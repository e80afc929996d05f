// SPDX-License-Identifier: Apache-2.0
#include "signals/known_creations.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace gnomon {
namespace {

// A rule's name in an id, which is a segment of a path: of letters, digits, '.', '_' and '-', and short, with a hash of
// the whole (FNV-1a).
std::string ShortName(const std::string& rule) {
  constexpr size_t kLength = 40;
  uint64_t hash = 0xcbf29ce484222325;
  std::string name;
  for (const char c : rule) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (name.size() < kLength) name.push_back(plain ? c : '-');
  }
  return absl::StrCat(name, "-", absl::Hex(hash & 0xffffff, absl::kZeroPad6));
}

uint32_t InstancesOf(const KnownCreations::View& view, const std::string& type) {
  const auto found = view.instances.find(type);
  return found == view.instances.end() ? 0 : found->second;
}

}  // namespace

KnownCreations::Changes KnownCreations::Next(const View& view) {
  Changes changes;
  for (const Desired& desired : view.desired) Follow(desired, view, &changes);
  std::erase_if(seen_, [&](const auto& seen) {
    return std::none_of(view.desired.begin(), view.desired.end(),
                        [&](const Desired& desired) { return desired.rule == seen.first; });
  });
  for (const Step& step : view.steps) {
    if (step.at_s > view.now_s + kAheadS || step.at_s < view.now_s) continue;
    const std::string id = absl::StrCat(ShortName(step.rule), "-", step.at_s);
    const int64_t missing = step.count - InstancesOf(view, step.type);
    if (missing <= 0 || !announced_steps_.try_emplace(id, step.at_s).second) continue;
    changes.announce.push_back({.id = {.source = kScheduleSource, .id = id},
                                .type = step.type,
                                .count = static_cast<uint32_t>(missing),
                                .at = absl::FromUnixSeconds(step.at_s)});
  }
  std::erase_if(announced_steps_, [&](const auto& step) { return step.second < view.now_s; });
  return changes;
}

void KnownCreations::Follow(const Desired& desired, const View& view, Changes* changes) {
  const std::string prefix = absl::StrCat(ShortName(desired.rule), "-");
  std::vector<const Announced*> open;  // of this rule, the newest last
  int64_t announced = 0;
  for (const Announced& one : view.open) {
    if (one.id.source != kDesiredSource || !absl::StartsWith(one.id.id, prefix)) continue;
    open.push_back(&one);
    announced += one.left;
  }
  std::sort(open.begin(), open.end(), [](const Announced* a, const Announced* b) { return a->at < b->at; });
  const int64_t missing = std::max<int64_t>(0, desired.count - InstancesOf(view, desired.type));
  const bool has_risen = desired.count > std::exchange(seen_[desired.rule], desired.count);
  if (has_risen && missing > announced) {
    changes->announce.push_back({.id = {.source = kDesiredSource, .id = absl::StrCat(prefix, view.now_s)},
                                 .type = desired.type,
                                 .count = static_cast<uint32_t>(missing - announced),
                                 .at = absl::FromUnixSeconds(view.now_s)});
  }
  for (; !open.empty() && announced > missing && announced - open.back()->left >= missing; open.pop_back()) {
    announced -= open.back()->left;
    changes->cancel.push_back(open.back()->id);
  }
}

}  // namespace gnomon
