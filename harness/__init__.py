"""The examiner: bench, devices under test, judge, command line."""
