// SPDX-License-Identifier: Apache-2.0
//
// The report of a simulation: one page of HTML that needs nothing else, with its figures inside it as JSON.
//
// It shows the hits and idle time of every point, what one point of each policy held over time beside what was created,
// and that point's worst hours, each with the burst that was too large for what was held. With a predictive policy also
// the forecasts of 5, 15 and 30 minutes beside what came, of the types that it missed most of.
//
// Threads: free functions. Memory: about 30 bytes a type, policy and bin, and 0.2 MB for each of kFanTypes types.
// Cost: the fan's (cli/forecast_fan.h), of all types judged.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "plan/simulation.h"

namespace gnomon {

// One --policy: its points and their scores, with bins.
struct PolicyScores {
  std::string name;
  std::vector<std::string> points;
  std::vector<PointScore> scores;
};

inline constexpr size_t kFanTypes = 5;

struct ReportOptions {
  std::string about;  // the trace and the conditions, in a sentence
  double target = 0.99;
};

std::string SimulateReport(const ReportOptions& report, const SimulatedTrace& trace, const SimulationOptions& options,
                           const std::vector<PolicyScores>& policies);

// Of bins that hold at least one review and fill an hour: five minutes, or the review interval if that is longer.
double ReportBin(double review_s);

// The page, before and after its data.
extern const std::string_view kSimulateReportPage[2];

}  // namespace gnomon
