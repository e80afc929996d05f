// SPDX-License-Identifier: Apache-2.0
#include "forecast/quantile_trees.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gnomon {
namespace {

struct Weighted {
  float value, weight;
};

// The smallest value with at least `q` of the weight at or below it; 0 for none.
float WeightedQuantile(std::vector<Weighted>& values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end(), [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  double sum = 0, below = 0;
  for (const Weighted& v : values) sum += v.weight;
  for (const Weighted& v : values) {
    below += v.weight;
    if (below >= q * sum) return v.value;
  }
  return values.back().value;
}

}  // namespace

void TreeRows::Add(std::span<const float> features, float outcome, float weight) {
  features_.insert(features_.end(), features.begin(), features.end());
  outcomes_.push_back(outcome);
  weights_.push_back(weight);
}

void TreeRows::Replace(size_t at, std::span<const float> features, float outcome, float weight) {
  std::copy(features.begin(), features.end(), features_.begin() + static_cast<ptrdiff_t>(at * width_));
  outcomes_[at] = outcome;
  weights_[at] = weight;
}

// Grows one tree after the other on the same binned rows.
class TreeGrower {
 public:
  TreeGrower(const TreeRows& rows, const TreeOptions& options)
      : rows_(rows), options_(options), random_(options.seed), cuts_(rows.width()), bins_(rows.width() * rows.size()) {
    for (size_t feature = 0; feature < rows.width(); ++feature) Bin(feature);
    std::vector<Weighted> outcomes;
    for (size_t row = 0; row < rows.size(); ++row) outcomes.push_back({rows.outcome(row), rows.weight(row)});
    base_ = WeightedQuantile(outcomes, options.quantile);
    predicted_.assign(rows.size(), base_);
    gradient_.resize(rows.size());
  }

  float base() const { return base_; }

  QuantileTrees::Tree Grow() {
    std::vector<uint32_t> sample;
    for (size_t row = 0; row < rows_.size(); ++row) {
      if (Draw() >= options_.row_share) continue;
      sample.push_back(static_cast<uint32_t>(row));
      const bool above = rows_.outcome(row) > predicted_[row];
      gradient_[row] = rows_.weight(row) * static_cast<float>(above ? options_.quantile : options_.quantile - 1);
    }
    features_.clear();
    for (size_t feature = 0; feature < rows_.width(); ++feature) {
      if (Draw() < options_.feature_share) features_.push_back(feature);
    }
    QuantileTrees::Tree tree(1);
    Split(&tree, 0, std::move(sample), options_.depth);
    for (size_t row = 0; row < rows_.size(); ++row) predicted_[row] += Walk(tree, row);
    return tree;
  }

 private:
  struct Cut {
    double gain = 0;
    size_t feature = 0;
    uint8_t bin = 0;  // this bin and those below go left
  };
  struct Histogram {
    double gradient = 0, weight = 0;
    size_t rows = 0;
  };

  void Bin(size_t feature) {
    constexpr size_t kSample = 20000;
    std::vector<float> values;
    for (size_t row = 0; row < rows_.size(); row += std::max<size_t>(1, rows_.size() / kSample)) {
      values.push_back(rows_.feature(row, feature));
    }
    std::sort(values.begin(), values.end());
    std::vector<float>& cuts = cuts_[feature];
    for (size_t bin = 1; bin < QuantileTrees::kBins; ++bin) {
      const float cut = values[values.size() * bin / QuantileTrees::kBins];
      if (cuts.empty() || cut > cuts.back()) cuts.push_back(cut);
    }
    for (size_t row = 0; row < rows_.size(); ++row) {
      bins_[feature * rows_.size() + row] =
          static_cast<uint8_t>(std::upper_bound(cuts.begin(), cuts.end(), rows_.feature(row, feature)) - cuts.begin());
    }
  }

  Cut BestCut(const std::vector<uint32_t>& rows) const {
    Cut best;
    for (size_t feature : features_) {
      std::array<Histogram, QuantileTrees::kBins> bins;
      const uint8_t* bin_of = &bins_[feature * rows_.size()];
      for (uint32_t row : rows) {
        Histogram& bin = bins[bin_of[row]];
        bin.gradient += gradient_[row];
        bin.weight += rows_.weight(row);
        ++bin.rows;
      }
      ScanCuts(bins, feature, &best);
    }
    return best;
  }

  void ScanCuts(const std::array<Histogram, QuantileTrees::kBins>& bins, size_t feature, Cut* best) const {
    constexpr double kTiny = 1e-9;
    Histogram all, left;
    for (const Histogram& bin : bins) Merge(&all, bin);
    auto score = [](double gradient, double weight) { return gradient * gradient / (weight + kTiny); };
    const double whole = score(all.gradient, all.weight);
    for (size_t bin = 0; bin < cuts_[feature].size(); ++bin) {
      Merge(&left, bins[bin]);
      if (left.rows < options_.min_leaf || all.rows - left.rows < options_.min_leaf) continue;
      const double gain =
          score(left.gradient, left.weight) + score(all.gradient - left.gradient, all.weight - left.weight) - whole;
      if (gain > best->gain) *best = {gain, feature, static_cast<uint8_t>(bin)};
    }
  }

  static void Merge(Histogram* into, const Histogram& bin) {
    into->gradient += bin.gradient;
    into->weight += bin.weight;
    into->rows += bin.rows;
  }

  void Split(QuantileTrees::Tree* tree, size_t at, std::vector<uint32_t> rows, int depth) {
    const Cut cut = depth > 0 && rows.size() >= 2 * options_.min_leaf ? BestCut(rows) : Cut{};
    if (cut.gain <= 0) {
      std::vector<Weighted> left;
      for (uint32_t row : rows) left.push_back({rows_.outcome(row) - predicted_[row], rows_.weight(row)});
      (*tree)[at].value = static_cast<float>(options_.rate) * WeightedQuantile(left, options_.quantile);
      return;
    }
    const size_t child = tree->size();
    tree->resize(child + 2);
    (*tree)[at] = {static_cast<int>(cut.feature), static_cast<int>(child), cuts_[cut.feature][cut.bin], 0};
    const uint8_t* bin_of = &bins_[cut.feature * rows_.size()];
    auto middle = std::stable_partition(rows.begin(), rows.end(), [&](uint32_t row) { return bin_of[row] <= cut.bin; });
    Split(tree, child, std::vector<uint32_t>(rows.begin(), middle), depth - 1);
    Split(tree, child + 1, std::vector<uint32_t>(middle, rows.end()), depth - 1);
  }

  float Walk(const QuantileTrees::Tree& tree, size_t row) const {
    size_t at = 0;
    while (tree[at].feature >= 0) {
      const bool right = rows_.feature(row, static_cast<size_t>(tree[at].feature)) >= tree[at].cut;
      at = static_cast<size_t>(tree[at].left) + (right ? 1 : 0);
    }
    return tree[at].value;
  }

  double Draw() {  // splitmix64, evenly in [0, 1)
    uint64_t z = random_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
  }

  const TreeRows& rows_;
  const TreeOptions options_;
  uint64_t random_;
  std::vector<std::vector<float>> cuts_;  // by feature, rising
  std::vector<uint8_t> bins_;             // by feature, then row
  float base_ = 0;
  std::vector<float> predicted_, gradient_;  // by row
  std::vector<size_t> features_;             // of the tree that grows
};

QuantileTrees QuantileTrees::Fit(const TreeRows& rows, const TreeOptions& options) {
  QuantileTrees fitted;
  if (rows.size() == 0) return fitted;
  TreeGrower grower(rows, options);
  fitted.base_ = grower.base();
  for (int i = 0; i < options.trees; ++i) fitted.trees_.push_back(grower.Grow());
  return fitted;
}

double QuantileTrees::Walk(const Tree& tree, std::span<const float> features) {
  size_t at = 0;
  while (tree[at].feature >= 0) {
    const bool right = features[static_cast<size_t>(tree[at].feature)] >= tree[at].cut;
    at = static_cast<size_t>(tree[at].left) + (right ? 1 : 0);
  }
  return tree[at].value;
}

size_t QuantileTrees::width() const {
  int largest = -1;
  for (const Tree& tree : trees_) {
    for (const Node& node : tree) largest = std::max(largest, node.feature);
  }
  return static_cast<size_t>(largest + 1);
}

// Whether each walk ends at a leaf: both children of a node lie behind it.
bool QuantileTrees::IsWellFormed() const {
  for (const Tree& tree : trees_) {
    if (tree.empty()) return false;
    for (size_t at = 0; at < tree.size(); ++at) {
      if (tree[at].feature < 0) continue;
      const size_t left = static_cast<size_t>(tree[at].left);
      if (left <= at || left >= tree.size() - 1) return false;
    }
  }
  return true;
}

double QuantileTrees::Predict(std::span<const float> features) const {
  double value = base_;
  for (const Tree& tree : trees_) value += Walk(tree, features);
  return value;
}

}  // namespace gnomon
