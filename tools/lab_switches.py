"""Write the laboratory's switches anew, in the words of the catalogue of bugs.

python tools/lab_switches.py
"""

from mnist_book.diagnosis.catalogue import entry
from mnist_book.lab.switches import SCRIPT, script

if __name__ == "__main__":
    SCRIPT.write_text(script(entry), "utf-8")
