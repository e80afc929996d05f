// SPDX-License-Identifier: Apache-2.0
//
// QuantileTrees are gradient-boosted trees that forecast one quantile of a number from features.
//
// Each tree is grown on the gradient of the pinball loss over a random part of the rows and features; each leaf then
// takes the weighted quantile of its residuals (Friedman, Annals of Statistics 2001, section 4.3; Koenker and Bassett,
// Econometrica 1978). Features are cut into kBins bins by their own quantiles.
//
// Example:
//   TreeRows rows(2);
//   rows.Add({{1, 5}}, 3.5, 1);
//   QuantileTrees trees = QuantileTrees::Fit(rows, TreeOptions{.quantile = 0.9});
//   double q90 = trees.Predict({{1, 5}});
//
// Threads: const methods from any. Deterministic: equal rows and options give equal bits.
// Cost: Fit about 8 us a row with the defaults and 48 features; Predict about 1 us. Memory while fitting: 5 bytes a
// row and feature.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gnomon {

struct TreeOptions {
  double quantile = 0.985;
  int trees = 50;
  int depth = 5;
  double rate = 0.1;           // of what a tree finds, this share is taken
  double row_share = 0.5;      // that a tree sees
  double feature_share = 0.5;  // that a tree may use
  size_t min_leaf = 250;       // rows
  uint64_t seed = 1;
};

// What to learn from: rows of `width` features, each with its outcome and weight.
class TreeRows {
 public:
  explicit TreeRows(size_t width) : width_(width) {}
  void Add(std::span<const float> features, float outcome, float weight);
  // In place of the row `at`.
  void Replace(size_t at, std::span<const float> features, float outcome, float weight);

  // As in base/state.h; the width is not stored.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.features_, self.outcomes_, self.weights_);
    archive.Require(self.features_.size() == self.outcomes_.size() * self.width_);
    archive.Require(self.weights_.size() == self.outcomes_.size());
  }

  size_t size() const { return outcomes_.size(); }
  size_t width() const { return width_; }
  float feature(size_t row, size_t feature) const { return features_[row * width_ + feature]; }
  float outcome(size_t row) const { return outcomes_[row]; }
  float weight(size_t row) const { return weights_[row]; }

 private:
  size_t width_;
  std::vector<float> features_, outcomes_, weights_;
};

class QuantileTrees {
 public:
  static constexpr size_t kBins = 64;

  // Without rows, Predict gives 0.
  static QuantileTrees Fit(const TreeRows& rows, const TreeOptions& options);

  double Predict(std::span<const float> features) const;
  // Predict looks at no feature from this one on.
  size_t width() const;

  // As in base/state.h.
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.base_, self.trees_);
    archive.Require(self.IsWellFormed());
  }

 private:
  friend class TreeGrower;
  struct Node {
    int feature = -1;  // -1: a leaf
    int left = 0;      // the child below the cut; the other one follows it
    float cut = 0;
    float value = 0;  // of a leaf

    template <class Archive, class Self>
    static void Fields(Archive& archive, Self& self) {
      archive(self.feature, self.left, self.cut, self.value);
    }
  };
  using Tree = std::vector<Node>;

  static double Walk(const Tree& tree, std::span<const float> features);
  bool IsWellFormed() const;

  double base_ = 0;
  std::vector<Tree> trees_;
};

}  // namespace gnomon
