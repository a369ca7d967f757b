#pragma once
// gnuplot: texts as it reads them, and running it.
#include <string>

namespace kvmend::gnuplot {

/// A text as gnuplot reads it literally.
std::string quote(const std::string& text);

/// A tic's label, in which per cent signs would be formats.
std::string tic_label(const std::string& text);

/// Data that a plot command reads as `$name`.
std::string block(const std::string& name, const std::string& rows);

/// Runs a script. Throws Error(usage) if gnuplot is not there, Error(data) with its words if it fails.
void run(const std::string& script);

}  // namespace kvmend::gnuplot
