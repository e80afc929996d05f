// SPDX-License-Identifier: Apache-2.0
//
// A NetworkClient asks a server about one network over HTTP, and gives answers as values that can be compared.
//
// Threads: not thread-safe; one object a thread. Errors: ApiClient's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/ip.h"

namespace gnomon {

class ApiClient;

struct SeenRecord {
  Ip address = {};
  std::string state = {}, instance = {}, mac = {}, pool = {};
  uint64_t generation = 0, revision = 0;
  absl::Time since = absl::InfinitePast(), until = absl::InfiniteFuture();
  friend bool operator==(const SeenRecord&, const SeenRecord&) = default;
  std::string ToString() const;
};

struct SeenInstance {
  std::string id = {}, mac = {};
  std::vector<Ip> addresses = {};
  uint64_t generation = 0, revision = 0;
  SeenRecord record = {};  // of the first address
};

struct SeenList {
  std::vector<SeenRecord> records = {};
  uint64_t revision = 0;  // of the first page
};

struct SeenPool {
  std::string name = {};
  int64_t capacity = 0, free = 0, shadow = 0, held = 0;
  uint64_t revision = 0;
};

// What a client asks for when it creates an instance.
struct Wish {
  std::string id = {}, type = {};
  int families = 4;  // 4, 6 or 46
  std::optional<Ip> address = {};
};

class NetworkClient {
 public:
  NetworkClient(const std::string& server, std::string network);
  ~NetworkClient();
  NetworkClient(const NetworkClient&) = delete;
  NetworkClient& operator=(const NetworkClient&) = delete;

  absl::StatusOr<SeenInstance> Create(const Wish& wish);
  absl::StatusOr<std::vector<SeenInstance>> CreateBatch(const std::vector<Wish>& wishes);
  absl::StatusOr<SeenInstance> Get(const std::string& id);
  absl::StatusOr<std::vector<SeenRecord>> Release(const std::string& id, bool preserve);
  absl::StatusOr<SeenInstance> Reassign(const std::string& id, Ip address);
  absl::Status EndPreserve(Ip address);
  absl::Status Predict(const std::string& type, int count, const std::string& id);
  absl::StatusOr<SeenList> List();      // every record that is not free
  absl::StatusOr<SeenList> ListPage();  // the first page of them
  absl::StatusOr<std::vector<SeenPool>> Pools();

  // Making them again is no error.
  absl::Status MakeNetwork();
  absl::Status MakePool(const std::string& name, const std::string& prefix, absl::Duration quarantine);
  absl::Status SetWarmTarget(const std::string& type, int count);

 private:
  std::string Path(std::string_view list, std::string_view name = "", std::string_view verb = "") const;

  const std::unique_ptr<ApiClient> api_;
  const std::string network_;
};

// The number in an opaque revision or generation.
uint64_t RevisionNumber(const std::string& text);

}  // namespace gnomon
