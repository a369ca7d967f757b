#pragma once
#include <span>

namespace kvmend {

/// Seconds that work on a model's layers waits for what arrives while it runs: layer l is begun when it is there and
/// layer l − 1 is done, and it sets out when layer l − 1 has arrived and layer l − 1 − `ahead` was taken. Reckoned from
/// measured durations, so that it says what a strategy alone would expose, whoever was first to use the layers.
/// `arrivals` [n_layers]: seconds each layer takes; `work`: seconds of work on all layers, the same on each.
double exposed_load(std::span<const double> arrivals, double work, int ahead);

}  // namespace kvmend
