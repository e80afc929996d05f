// SPDX-License-Identifier: Apache-2.0
#include "plan/expected_creations.h"

#include <algorithm>
#include <limits>

namespace gnomon {

void ExpectedCreations::Announce(double time_s, const Announcement& announcement) {
  const Id id{announcement.type, announcement.batch};
  if (auto earlier = open_.find(id); earlier != open_.end()) End(earlier);
  if (open_.size() >= kMaxOpen || announcement.count <= 0) return;
  const double due_s = std::max(time_s, announcement.at_s - lead_s_ - kMarginS);
  open_[id] = {.left = announcement.count, .due = false, .changes_s = due_s, .at_s = announcement.at_s};
  changes_.insert({due_s, id});
  if (due_.size() <= announcement.type) due_.resize(announcement.type + 1, 0);
}

int64_t ExpectedCreations::Consume(double time_s, size_t type, uint32_t batch, int64_t count) {
  auto open = open_.find({type, batch});
  if (open == open_.end()) return 0;
  const int64_t known = std::min(count, open->second.left);
  open->second.left -= known;
  if (open->second.due) due_[type] -= known;
  if (open->second.left == 0) {
    End(open);
  } else if (open->second.due) {
    ChangesAt(time_s + kQuietS, open);
  }
  return known;
}

double ExpectedCreations::WakesAt() const {
  return changes_.empty() ? std::numeric_limits<double>::infinity() : changes_.begin()->first;
}

void ExpectedCreations::Wake(double time_s) {
  while (WakesAt() <= time_s) {
    auto open = open_.find(changes_.begin()->second);
    if (open->second.due) {
      End(open);
      continue;
    }
    open->second.due = true;
    ChangesAt(std::max(open->second.at_s, time_s) + kLateS, open);
    due_[open->first.first] += open->second.left;
  }
}

int64_t ExpectedCreations::Due(size_t type) const { return type < due_.size() ? due_[type] : 0; }

void ExpectedCreations::ChangesAt(double time_s, std::map<Id, Open>::iterator open) {
  changes_.erase({open->second.changes_s, open->first});
  open->second.changes_s = time_s;
  changes_.insert({time_s, open->first});
}

void ExpectedCreations::End(std::map<Id, Open>::iterator open) {
  if (open->second.due) due_[open->first.first] -= open->second.left;
  changes_.erase({open->second.changes_s, open->first});
  open_.erase(open);
}

}  // namespace gnomon
