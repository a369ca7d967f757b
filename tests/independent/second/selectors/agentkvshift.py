"""AgentKVShift (STRATEGIES.md §10, arXiv 2607.21604): probe tokens of each chunk; their mean change moves the others."""
import math

from ..answer import Answer


def agentkvshift(model, request, ratio, probes="even", sink="none"):
    """⌊r·len⌋ tokens of each chunk but unit 0, evenly spread or the first [O]."""
    taken = []
    for begin, end in request.spans[1:]:
        length = end - begin
        count = math.floor(ratio * length)
        taken += [begin + (i * length // count if probes == "even" else i) for i in range(count)]
    return Answer(taken, offsets=True, sink=sink)
