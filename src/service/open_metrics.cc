// SPDX-License-Identifier: Apache-2.0
#include "service/open_metrics.h"

#include <algorithm>

namespace gnomon {

std::string OpenMetricsOf(std::string_view text) {
  constexpr std::string_view kTotal = "_total", kHelp = "# HELP ", kType = "# TYPE ";
  std::string out;
  out.reserve(text.size() + 8);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    const bool of_family = line.starts_with(kHelp) || line.starts_with(kType);
    const size_t name_end = of_family ? line.find(' ', kHelp.size()) : std::string_view::npos;
    if (of_family && name_end != std::string_view::npos && line.substr(0, name_end).ends_with(kTotal)) {
      out.append(line.substr(0, name_end - kTotal.size())).append(line.substr(name_end));
    } else if (of_family || !line.starts_with('#')) {
      out.append(line);
    } else {
      continue;  // a comment, which OpenMetrics does not know
    }
    out.push_back('\n');
  }
  return out.append("# EOF\n");
}

}  // namespace gnomon
