// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/error.h"

namespace gnomon {
namespace {

constexpr absl::Duration kSkewWarning = absl::Seconds(5);
constexpr absl::Duration kSkewFailure = absl::Minutes(5);
constexpr int64_t kNearlyFullPercent = 90;

class Examination {
 public:
  explicit Examination(ApiClient& api) : api_(api) {}

  // False if nothing else can be asked.
  bool Reach(absl::Time now) {
    const std::string& server = api_.http().options().server;
    absl::StatusOr<ClientResponse> alive = api_.http().Send({.path = "/livez", .accept = "*/*"});
    if (!alive.ok()) {
      std::string hint = PartsOf(alive.status()).hint;
      Add(Health::kFail, "reachable", std::string(alive.status().message()), hint.empty() ? "start gnomond" : hint);
      return false;
    }
    if (alive->status != 200) {
      Add(Health::kFail, "reachable", absl::StrCat(server, " answers ", alive->status), "is this address gnomond's?");
      return false;
    }
    Add(Health::kOk, "reachable", server);
    if (alive->date) CheckClock(now - *alive->date);
    return true;
  }

  void CheckReady() {
    int status = 0;
    absl::StatusOr<std::string> text = api_.GetText("/readyz?verbose", &status);
    if (!text.ok()) return Add(Health::kFail, "ready", std::string(text.status().message()), "try again");
    bool named = false;
    for (absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipWhitespace())) {
      if (!absl::ConsumePrefix(&line, "[-]")) continue;
      named = true;
      if (absl::StartsWith(line, "expiry paused")) {
        Add(Health::kWarn, "ready", std::string(line.substr(0, line.find(';'))),
            "set the server's clock right, or if it is right: gnomon resume-expiry");
        continue;
      }
      Add(Health::kFail, "ready", std::string(line),
          "see the server's log; it mends itself if this is a start or a drain");
    }
    if (status == 200 && !named) Add(Health::kOk, "ready", "all of the server's own checks pass");
    if (status != 200 && !named)
      Add(Health::kFail, "ready", absl::StrCat("/readyz answers ", status), "see the server's log");
  }

  void CheckVersion(const std::string& version) {
    absl::StatusOr<JsonValue> answer = api_.Get("/version");
    std::string theirs = answer.ok() ? TextMember(*answer, "version") : "";
    if (theirs.empty()) return Add(Health::kWarn, "version", "the server does not tell its version", "upgrade gnomond");
    if (theirs == version) return Add(Health::kOk, "version", version);
    Add(Health::kWarn, "version", absl::StrCat("gnomon is ", version, ", gnomond is ", theirs),
        "install the same version of both");
  }

  void CheckPools() {
    std::vector<std::string> networks;
    absl::Status listed = api_.List({"v1", "networks"}, "networks", {}, 0,
                                    [&](const JsonValue& network) {
                                      networks.push_back(TextMember(network, "name"));
                                      return absl::OkStatus();
                                    })
                              .status();
    if (!listed.ok()) {
      bool auth = absl::IsUnauthenticated(listed) || absl::IsPermissionDenied(listed);
      return Add(Health::kFail, auth ? "access" : "networks", std::string(listed.message()),
                 auth ? "give a valid token with --token-file" : "see the server's log");
    }
    Add(Health::kOk, "access", absl::StrCat(networks.size(), networks.size() == 1 ? " network is visible" : " networks are visible"));
    for (const std::string& network : networks) {
      absl::Status pools = api_.List({"v1", "networks", network, "pools"}, "pools", {}, 0,
                                     [&](const JsonValue& pool) {
                                       CheckPool(network, pool);
                                       return absl::OkStatus();
                                     })
                               .status();
      if (!pools.ok()) Add(Health::kFail, "pools of " + network, std::string(pools.message()), "see the server's log");
    }
  }

  std::vector<Finding> Take() { return std::move(findings_); }

 private:
  void Add(Health health, std::string check, std::string detail, std::string fix = {}) {
    findings_.push_back({health, std::move(check), std::move(detail), std::move(fix)});
  }

  void CheckClock(absl::Duration ahead) {
    absl::Duration skew = absl::AbsDuration(ahead);
    std::string detail =
        absl::StrCat("the clocks differ by ", absl::FormatDuration(absl::Trunc(skew, absl::Seconds(1))));
    if (skew <= kSkewWarning) return Add(Health::kOk, "clock", detail);
    Add(skew <= kSkewFailure ? Health::kWarn : Health::kFail, "clock", detail, "run an NTP client on both machines");
  }

  void CheckPool(const std::string& network, const JsonValue& pool) {
    const JsonValue& counts = Member(pool, "counts");
    int64_t usable = NumberMember(counts, "capacity");  // without what is excluded
    int64_t free = NumberMember(counts, "free"), shadow = NumberMember(counts, "shadow");
    // Shadows are preemptible. The counts of a large IPv6 pool are cut off at the most that an integer can tell.
    int64_t givable = free > usable - shadow ? usable : free + shadow;
    std::string check = absl::StrCat("pool ", network, "/", TextMember(pool, "name"));
    std::string detail = absl::StrFormat("%d of %d addresses can be given", givable, usable);
    int64_t used_percent = usable <= 0 ? 100 : static_cast<int64_t>(100.0 * (usable - givable) / usable);
    if (used_percent < kNearlyFullPercent) return Add(Health::kOk, check, detail);
    Add(givable == 0 ? Health::kFail : Health::kWarn, check, detail,
        absl::StrCat("add a pool: gnomon create pool NAME -n ", network, " --prefix PREFIX"));
  }

  ApiClient& api_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> Examine(ApiClient& api, const std::string& version, absl::Time now) {
  Examination examination(api);
  if (examination.Reach(now)) {
    examination.CheckReady();
    examination.CheckVersion(version);
    examination.CheckPools();
  }
  return examination.Take();
}

std::string_view HealthName(Health health) {
  return health == Health::kOk ? "ok" : health == Health::kWarn ? "warn" : "fail";
}

}  // namespace gnomon
