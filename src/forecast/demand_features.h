// SPDX-License-Identifier: Apache-2.0
//
// DemandFeatures are what the learners see of a series at one moment: all of it from before that moment.
//
// The lags come first, on the square-root scale: recent rates over a minute to three hours, the same window an hour, up
// to four hours, a day and a week ago. The rest: the linear forecast, the last seconds, long means, the largest recent
// counts, unevenness, the time of the day in steps of five minutes, the same window of each of seven days and six
// hours, and what all series together did. Nothing depends on where a moment lies inside five minutes.
//
// Threads: free functions. Time: seconds since a midnight. Cost: about 3 us.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "forecast/demand_history.h"

namespace gnomon {

inline constexpr size_t kLags = 16;
inline constexpr size_t kFeatures = 48;

// The square root that makes counts evenly uneven (Anscombe, Biometrika 1948), and back.
double Root(double count);
double FromRoot(double root);

struct Moment {
  const DemandHistory& series;
  const DemandHistory& all;  // the sum of all series
  double time_s;             // both histories have advanced to it
  double window_s;           // that is to be forecast
};

// The first kLags.
void WriteLags(const Moment& moment, std::span<float, kLags> lags);

// Those after the lags. `level` is the linear forecast of the window, `since_burst_s` the time since the last burst.
void WriteRest(const Moment& moment, double level, double since_burst_s, std::span<float, kFeatures - kLags> rest);

}  // namespace gnomon
