"""What several benchmarks do: records, timing in turn, arguments, judging by what was held out."""
