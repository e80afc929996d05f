// SPDX-License-Identifier: Apache-2.0
#include "engine/announcements.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>

namespace gnomon {
namespace {

// Before all keys of the type.
auto FirstOf(size_t type) {
  return std::tuple<size_t, std::string, int64_t, std::string>(type, "", std::numeric_limits<int64_t>::min(), "");
}

}  // namespace

const Announcements::Known* Announcements::Find(const AnnouncementId& id) const {
  auto found = known_.find(id);
  return found == known_.end() ? nullptr : &found->second;
}

void Announcements::Announce(const AnnouncementId& id, size_t type, uint32_t count, int64_t at_s, int64_t now_s) {
  Insert(id, {.type = type, .count = count, .at_s = at_s, .told_s = now_s, .left = count});
}

void Announcements::Cancel(const AnnouncementId& id) {
  auto found = known_.find(id);
  found->second.cancelled = true;
  End(id, &found->second);
}

void Announcements::Start(const AnnouncementId& id) {
  Known& started = known_.find(id)->second;
  started.cancelled = true;
  uint32_t left = started.left;
  End(id, &started);
  const Key first{started.type, id.source, std::numeric_limits<int64_t>::min(), ""};
  // The last to end first, as it may be waited for the longest.
  for (auto end = taken_.lower_bound(AfterSource(first)); left > 0 && end != taken_.begin();) {
    const auto taken = std::prev(end);
    if (taken->first < first) return;
    Known& known = *taken->second;
    const uint32_t back = std::min(left, known.count - known.left);
    known.left += back;
    left -= back;
    open_[taken->first] = &known;
    end = known.left == known.count ? taken_.erase(taken) : taken;
  }
}

uint32_t Announcements::Consume(size_t type, int64_t time_s, uint32_t count) {
  uint32_t most = 0, taken = 0;
  std::string source;
  for (auto open = open_.lower_bound(FirstOf(type)); open != open_.end() && std::get<0>(open->first) == type;) {
    Known& known = *open->second;
    if (std::get<1>(open->first) != source) taken = 0;
    source = std::get<1>(open->first);
    // In the order of their times: those that follow are too early too.
    if (taken == count || time_s < known.at_s - kEarlyS) {
      open = open_.lower_bound(AfterSource(open->first));
      continue;
    }
    const auto one = open++;  // before it may end
    if (time_s > known.ends_s()) continue;
    const uint32_t now = std::min(count - taken, known.left);
    known.left -= now;
    taken += now;
    most = std::max(most, taken);
    taken_[one->first] = &known;
    if (known.left == 0) open_.erase(one);
  }
  return most;
}

void Announcements::Expire(int64_t time_s) {
  for (auto one = known_.begin(); one != known_.end();) {
    Known& known = one->second;
    if (time_s > known.ends_s()) End(one->first, &known);
    const bool forgotten = known.left == 0 && time_s > known.ends_s() + kKeptS;
    one = forgotten ? known_.erase(one) : std::next(one);
  }
}

int64_t Announcements::Due(size_t type, int64_t time_s, int64_t lead_s) const {
  int64_t most = 0, sum = 0;
  std::string_view source;
  for (auto open = open_.lower_bound(FirstOf(type)); open != open_.end() && std::get<0>(open->first) == type;) {
    const Known& known = *open->second;
    if (std::get<1>(open->first) != source) sum = 0;
    source = std::get<1>(open->first);
    if (time_s < known.at_s - lead_s - kMarginS) {
      open = open_.lower_bound(AfterSource(open->first));
      continue;
    }
    if (time_s <= known.ends_s()) sum += known.left;
    most = std::max(most, sum);
    ++open;
  }
  return most;
}

void Announcements::Insert(const AnnouncementId& id, const Known& known) {
  auto [inserted, is_new] = known_.emplace(id, known);
  if (!is_new) return;
  if (known.left > 0) open_[KeyOf(id, known)] = &inserted->second;
  if (known.left < known.count && !known.cancelled) taken_[KeyOf(id, known)] = &inserted->second;
}

void Announcements::End(const AnnouncementId& id, Known* known) {
  open_.erase(KeyOf(id, *known));
  taken_.erase(KeyOf(id, *known));
  known->left = 0;
}

Announcements::Key Announcements::AfterSource(const Key& key) {
  return {std::get<0>(key), std::get<1>(key) + '\0', std::numeric_limits<int64_t>::min(), ""};
}

}  // namespace gnomon
