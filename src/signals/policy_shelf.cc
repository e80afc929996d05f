// SPDX-License-Identifier: Apache-2.0
#include "signals/policy_shelf.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr char kKind[] = "policy";

// What is stored: the type, which the document may not have, a line feed, and the document.
std::string Stored(const ScalingPolicy& policy) { return absl::StrCat(policy.type, "\n", policy.document); }

}  // namespace

absl::Status PolicyNotFound(const std::string& network, const std::string& name) {
  return Error(absl::StatusCode::kNotFound, "POLICY_NOT_FOUND", absl::StrCat("network ", network, " has no policy ", Excerpt(name)))
      .Value(Excerpt(name))
      .Hint("gnomon policy get lists them");
}

std::vector<std::string> PolicyShelf::Load(const std::vector<NetworkEntry>& networks) {
  std::vector<std::string> lost;
  for (const NetworkEntry& network : networks) {
    for (const std::string& why : Rebuild(network.id)) lost.push_back(absl::StrCat("network ", network.name, ": ", why));
  }
  return lost;
}

std::vector<std::string> PolicyShelf::Rebuild(NetworkId network) {
  std::vector<std::string> lost;
  absl::MutexLock lock(&mutex_);  // before the documents are read, so that of two at once the later one sees the latest
  std::vector<ScalingPolicy> policies;
  for (const Document& document : documents_->Read(network, kKind)) {
    const size_t end = std::min(document.text.find('\n'), document.text.size());
    const std::string_view text = std::string_view(document.text).substr(std::min(end + 1, document.text.size()));
    absl::StatusOr<PoliciesRead> read = ReadPolicies({.text = text, .file = document.name, .type = document.text.substr(0, end)});
    if (!read.ok()) {
      lost.push_back(absl::StrCat("the policy ", document.name, " can be read no more: ", read.status().message()));
      continue;
    }
    for (ScalingPolicy& policy : read->policies) policies.push_back(std::move(policy));
  }
  books_[network] = std::make_shared<const PolicyBook>(std::move(policies));
  return lost;
}

void PolicyShelf::Apply(const NetworkEntry& network, const PolicyText& text, bool dry_run, Reply<Applied> reply) {
  absl::StatusOr<PoliciesRead> read = ReadPolicies(text);
  if (!read.ok()) return reply(read.status());
  Applied applied;
  applied.passed_over = std::move(read->passed_over);
  const std::shared_ptr<const PolicyBook> book = BookOf(network.id);
  DocumentStore::Changes changes;
  for (ScalingPolicy& policy : read->policies) {
    const ScalingPolicy* const before = book->Find(policy.name);
    const Change change = before == nullptr                    ? Change::kMade
                          : Stored(*before) == Stored(policy) ? Change::kNone
                                                              : Change::kChanged;
    changes.put.push_back({.kind = kKind, .name = policy.name, .text = Stored(policy)});
    applied.policies.push_back({.policy = std::move(policy), .change = change});
  }
  if (dry_run) return reply(std::move(applied));
  documents_->Change(network.id, std::move(changes),
                     [this, id = network.id, applied = std::move(applied), reply = std::move(reply)](absl::StatusOr<Done> done) mutable {
                       if (!done.ok()) return reply(done.status());
                       Rebuild(id);
                       reply(std::move(applied));
                     });
}

void PolicyShelf::Delete(const NetworkEntry& network, const std::string& name, Reply<Done> reply) {
  if (BookOf(network.id)->Find(name) == nullptr) {
    return reply(PolicyNotFound(network.name, name));
  }
  documents_->Change(network.id, {.put = {}, .erase = {{kKind, name}}},
                     [this, id = network.id, reply = std::move(reply)](absl::StatusOr<Done> done) mutable {
                       if (done.ok()) Rebuild(id);
                       reply(std::move(done));
                     });
}

std::shared_ptr<const PolicyBook> PolicyShelf::BookOf(NetworkId network) const {
  static const auto& empty = *new std::shared_ptr<const PolicyBook>(std::make_shared<const PolicyBook>());
  absl::MutexLock lock(&mutex_);
  const auto found = books_.find(network);
  return found == books_.end() ? empty : found->second;
}

}  // namespace gnomon
