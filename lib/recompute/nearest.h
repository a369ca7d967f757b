#pragma once
#include <vector>

#include "recompute/request.h"

namespace kvmend {

/// The `count` chunks whose token counts have the largest cosine with those of unit `unit`, the farthest first, so that the
/// nearest stands next to it; ties prefer the lower number. Never the prefix, never itself; fewer if there are not so many.
/// A likeness of words, for every model and without an encoder: which neighbours FusionRAG's retriever names is not known.
std::vector<int> nearest_chunks(const Request& request, int unit, int count);

}  // namespace kvmend
