// SPDX-License-Identifier: Apache-2.0
//
// The quantiles of a negative binomial count, for forecasts whose errors are not known yet.
//
// Threads: a free function. Cost: below a mean of 100, as many steps as the largest quantile; above it, constant.
#pragma once

#include "forecast/levels.h"

namespace gnomon {

// Of count + U (levels.h), given the count's mean and variance; the variance is at least the mean. Above a mean of 100
// by the gamma distribution of that mean and variance (Wilson and Hilferty, PNAS 1931).
Quantiles NegativeBinomialQuantiles(double mean, double variance);

}  // namespace gnomon
