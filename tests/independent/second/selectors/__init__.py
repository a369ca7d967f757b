"""One method a file. Each is written from the section of STRATEGIES.md that its first line names.

A selector is a function (model, request, **parameters) that returns an Answer; the parameters have the names and the
defaults of `kvmend list strategies`.
"""
