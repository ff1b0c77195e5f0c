"""Write it yourself: a file of the reader's own, grown beside the chapters, told which bug it has.

    templates/   the file that one starts from, with pictures in rows or in columns
    pieces       the pieces, in the chapters' order, and the check of each
    reference    right ones, to put in their place
    epoch        the check of a whole epoch of training
    source       reads and runs the reader's file, or says why that cannot be done
    limits       of time, memory and processes, in the process that runs it
    child        that process: what it is told to do, and what it answers
    runner       starts it, listens, and ends it with all that it has started
    looking      what is found in a file, piece by piece
    terminal     shows that
    watching     looks again at each save
    training     trains the reader's network beside the core's
    serving      a page on which it answers
    grading      a class's files: a row each, and a page

The reader's code runs in `child` alone, in a process of its own; results come back as JSON.
"""
