// SPDX-License-Identifier: Apache-2.0
//
// An Exchange is one request on its way to its answer: what the answer, the metrics and the audit log need to know.
//
// It outlives the request's views, since answers come later and from other threads.
//
// Threads: one at a time. The answer may be given from any.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/http_server.h"
#include "api/principal.h"
#include "api/problem.h"
#include "base/error.h"

namespace gnomon {

class Exchange {
 public:
  // Called with the exchange and the status of its answer, just before that is sent: what it does is done by then.
  using Observer = absl::AnyInvocable<void(const Exchange&, int status, std::string_view code) const>;

  Exchange(const HttpRequest& request, HttpResponder responder, const Observer* observer)
      : id_(request.id), method_(request.method_name), target_(request.target), peer_(request.peer->address),
        principal_(request.principal.id), observer_(observer), responder_(std::move(responder)) {}

  const std::string& id() const { return id_; }
  const std::string& method() const { return method_; }
  const std::string& target() const { return target_; }
  const std::string& peer() const { return peer_; }
  const std::string& principal() const { return principal_; }

  // Of the route: its pattern, and whether it changes anything. `arguments` are what the pattern's names stand for.
  std::string_view route = "none";
  bool writes = false;
  std::vector<std::string> arguments;
  // For the audit log: the network, and what the body names in it: instances, or a prediction's "source/id".
  std::string network;
  std::vector<std::string> ids;
  static constexpr size_t kMaxIds = 100;

  // As HttpResponder::Run: for what costs more than to hand it over.
  void Run(absl::AnyInvocable<void()> work) { responder_.Run(std::move(work)); }
  void Send(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
    if (observer_ != nullptr) (*observer_)(*this, status, "");
    if (!body.empty()) body.push_back('\n');
    HttpResponse response{.status = status, .body = std::move(body), .headers = std::move(headers)};
    if (status == 204) response.content_type = {};
    responder_.Send(std::move(response));
  }
  void SendAs(std::string_view content_type, std::string body) {
    if (observer_ != nullptr) (*observer_)(*this, 200, "");
    responder_.Send(HttpResponse{.body = std::move(body), .content_type = content_type, .headers = {}});
  }
  void Fail(const absl::Status& error) {
    if (observer_ != nullptr) (*observer_)(*this, HttpStatusOf(error.code()), CodeOf(error));
    responder_.Send(ProblemResponse(error, id_));
  }
  void Fail(int status, std::string_view code, std::string_view detail,
            std::vector<std::pair<std::string, std::string>> headers = {}) {
    if (observer_ != nullptr) (*observer_)(*this, status, code);
    HttpResponse response = ProblemResponse(status, code, detail, id_);
    for (auto& header : headers) response.headers.push_back(std::move(header));
    responder_.Send(std::move(response));
  }
  void FailAs(int status, const absl::Status& error, std::vector<std::pair<std::string, std::string>> headers = {}) {
    if (observer_ != nullptr) (*observer_)(*this, status, CodeOf(error));
    HttpResponse response = ProblemResponse(status, error, id_);
    for (auto& header : headers) response.headers.push_back(std::move(header));
    responder_.Send(std::move(response));
  }
  HttpStream Stream(HttpResponse head) {
    if (observer_ != nullptr) (*observer_)(*this, head.status, "");
    return responder_.Stream(std::move(head));
  }

 private:
  const std::string id_, method_, target_, peer_, principal_;
  const Observer* observer_;
  HttpResponder responder_;
};

}  // namespace gnomon
