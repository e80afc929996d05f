// SPDX-License-Identifier: Apache-2.0
//
// An ApiFixture is a whole server on a loopback port, over a store in memory, and a client that blocks, for tests.
//
// Every request that was accepted, and every answer, is held against openapi.json.
//
// Example:
//   TEST_F(ApiTest, X) { EXPECT_EQ(Post("/v1/networks", R"({"name":"prod","account":"acme"})").status, 201); }
//
// Time: stands still until clock.Pass().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/api.h"
#include "api/http_server.h"
#include "api/http_test_client.h"
#include "base/absl_view.h"
#include "base/clock.h"
#include "engine/predictor.h"
#include "gtest/gtest.h"
#include "service/service.h"
#include "store/memory_store.h"
#include "testing/openapi_check.h"

namespace gnomon {

struct ApiAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  boost::json::value json;

  // The value at a JSON pointer, as "/record/address": a string as it is, all else as JSON; "<none>" if it is not there.
  std::string operator[](std::string_view pointer) const {
    boost::json::error_code error;
    const boost::json::value* found = json.find_pointer(boost::json::string_view(pointer.data(), pointer.size()), error);
    if (found == nullptr) return "<none>";
    return found->is_string() ? std::string(found->as_string()) : boost::json::serialize(*found);
  }
  std::string code() const { return status < 400 ? absl::StrCat(status) : absl::StrCat(status, " ", (*this)["/code"]); }
  size_t size(std::string_view member) const {
    const boost::json::value* found = json.as_object().if_contains(boost::json::string_view(member.data(), member.size()));
    return found == nullptr || !found->is_array() ? 0 : found->as_array().size();
  }
};

// Reads "HTTP/1.1 200 OK\r\nname: value\r\n...\r\n\r\n".
inline ApiAnswer ParseAnswerHead(std::string_view head) {
  ApiAnswer answer;
  EXPECT_TRUE(head.size() > 12 && absl::SimpleAtoi(AbslView(head.substr(9, 3)), &answer.status)) << head;
  for (size_t at = head.find("\r\n"); at != std::string_view::npos && at + 2 < head.size();) {
    const size_t end = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, end == std::string_view::npos ? end : end - at - 2);
    const size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      answer.headers[absl::AsciiStrToLower(AbslView(line.substr(0, colon)))] = line.substr(colon + 2);
    }
    at = end;
  }
  return answer;
}

// A watch that a client reads, an event at a time.
class ApiWatch {
 public:
  ApiWatch(TestSocket socket, const std::string& request) : socket_(std::move(socket)) {
    socket_.Send(request);
    head = ParseAnswerHead(socket_.ReadUntil("\r\n\r\n"));
    if (head.status >= 400) head.json = boost::json::parse(socket_.ReadAll());
  }

  // The next piece up to `end`: a line of NDJSON, or all lines of an SSE event. Empty when the stream has ended.
  std::string Next(std::string_view end = "\n") {
    size_t found;
    while ((found = text_.find(end)) == std::string::npos) {
      const std::string size = socket_.ReadUntil("\r\n");
      if (size.empty() || size == "0\r\n") return "";
      const std::string data = socket_.ReadUntil("\r\n");  // no event has a carriage return
      text_.append(data, 0, data.size() - 2);
    }
    std::string next = text_.substr(0, found);
    text_.erase(0, found + end.size());
    return next;
  }
  boost::json::object NextEvent() {
    for (;;) {
      const std::string line = Next();
      if (line.empty()) return {};
      boost::json::object event = boost::json::parse(line).as_object();
      if (event.at("type") != "heartbeat") return event;
    }
  }

  ApiAnswer head;

 private:
  TestSocket socket_;
  std::string text_;
};

class ApiFixture : public testing::Test {
 protected:
  using Change = std::function<void(Api::Parts*)>;

  explicit ApiFixture(const Change& change = [](Api::Parts*) {}) {
    store_ = std::make_unique<MemoryStore>(std::make_shared<MemoryDisk>());
    absl::StatusOr<std::unique_ptr<Service>> service = Service::Start(store_.get(), &clock, {.shards = 2, .shard = {}});
    EXPECT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
    predictor_ = std::make_unique<Predictor>(service_.get(), &clock, nullptr);
    service_->OnCreation([this](const Service::Creation& creation) { predictor_->Created(creation); });
    predictor_->Start();
    Api::Parts parts;
    parts.service = service_.get();
    parts.engine = predictor_.get();
    documents_ = std::make_unique<DocumentStore>(service_.get(), [](const std::string&) {});
    parts.documents = documents_.get();
    policies_ = std::make_unique<PolicyShelf>(documents_.get());
    parts.policies = policies_.get();
    parts.clock = &clock;
    receivers_ = std::make_unique<Receivers>(&clock, std::vector<GithubSource>{});
    parts.receivers = receivers_.get();
    parts.metric_book = &metric_book_;
    parts.authorize = [this](HttpRequest* request) {
      absl::MutexLock lock(&mutex_);
      request->principal = principal_;
      return absl::OkStatus();
    };
    parts.version = "1.2.3";
    parts.metrics = [] { return std::string("# metrics\n"); };
    change(&parts);
    api_ = std::make_unique<Api>(std::move(parts));
    HttpServerOptions options;
    options.listen.push_back(ParseListenAddress("127.0.0.1:0").value());
    options.threads = 2;
    options.before_sending = [this] {
      if (before_sending) before_sending();
    };
    server_ = std::make_unique<HttpServer>(options, [this](HttpRequest& request, HttpResponder responder) {
      api_->Handle(request, std::move(responder));
    });
    const absl::Status started = server_->Start();
    EXPECT_TRUE(started.ok()) << started;
  }
  ~ApiFixture() override { predictor_->Stop(); }
  void Become(Principal principal) {
    absl::MutexLock lock(&mutex_);
    principal_ = std::move(principal);
  }

  const ListenAddress& Address() const { return server_->addresses().front(); }
  TestSocket Connect() { return TestSocket(Address()); }

  static std::string RequestText(const std::string& method, const std::string& target, const std::string& body,
                                 const std::string& headers = "") {
    return absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", headers,
                        body.empty() ? "" : "Content-Type: application/json\r\n", "Content-Length: ", body.size(), "\r\n\r\n",
                        body);
  }

  ApiAnswer Ask(const std::string& method, const std::string& target, const std::string& body = "",
                const std::string& headers = "") {
    TestSocket socket = Connect();
    socket.Send(RequestText(method, target, body, headers));
    const std::string text = socket.ReadAll();
    const size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) {
      ADD_FAILURE() << method << " " << target << " was not answered: " << text;
      return {};
    }
    ApiAnswer answer = ParseAnswerHead(std::string_view(text).substr(0, end));
    answer.body = text.substr(end + 4);
    if (answer.headers.contains("transfer-encoding")) answer.body = Joined(answer.body);
    const std::string& type = answer.headers["content-type"];
    if (type == "application/json" || type == "application/problem+json") {
      boost::json::error_code error;
      answer.json = boost::json::parse(answer.body, error);
      EXPECT_FALSE(error) << answer.body;
    }
    Check(method, target, body, headers, answer);
    return answer;
  }
  ApiAnswer Get(const std::string& target) { return Ask("GET", target); }
  ApiAnswer Post(const std::string& target, const std::string& body) { return Ask("POST", target, body); }
  ApiAnswer Patch(const std::string& target, const std::string& body) { return Ask("PATCH", target, body); }
  ApiAnswer Delete(const std::string& target) { return Ask("DELETE", target); }

  ApiWatch Watch(const std::string& target, const std::string& headers = "") {
    return ApiWatch(Connect(), RequestText("GET", target, "", headers));
  }

  // Network "prod", with pool "a" of `prefix`.
  void MakeNetwork(const std::string& prefix, const std::string& name = "prod") {
    EXPECT_EQ(Post("/v1/networks", absl::StrCat(R"({"name":")", name, R"(","account":"acme"})")).code(), "201");
    EXPECT_EQ(Post(absl::StrCat("/v1/networks/", name, "/pools"),
                   absl::StrCat(R"({"name":"a","prefix":")", prefix, R"(","headroom":0})")).code(), "201");
  }
  ApiAnswer Create(const std::string& id, const std::string& more = "") {
    return Post("/v1/networks/prod/instances", absl::StrCat(R"({"id":")", id, R"(","type":"web")", more, "}"));
  }

  std::function<void()> before_sending;  // HttpServerOptions::before_sending; set by `change`
  ManualClock clock{absl::FromUnixSeconds(1'800'000'000)};
  const OpenApiCheck openapi;
  std::unique_ptr<Receivers> receivers_;  // of `change`, or without GitHub's
  std::unique_ptr<Predictor> predictor_;  // its thread runs; it goes after the service, which tells it of creations

 private:
  void Check(const std::string& method, const std::string& target, const std::string& body, const std::string& headers,
             const ApiAnswer& answer) {
    if (method == "HEAD") return;
    static const Router kRouter(Api::Routes());
    const Router::Match match = kRouter.Find(MethodNamed(method), target.substr(0, target.find('?')));
    const OpenApiCheck::Object* operation = nullptr;
    if (match.route != nullptr) operation = openapi.Operation(match.route->pattern, method);
    const std::string type = answer.headers.contains("content-type") ? answer.headers.at("content-type") : "";
    EXPECT_EQ(openapi.Response(operation, answer.status, type, answer.body), "") << method << " " << target;
    if (operation != nullptr && answer.status < 300 && headers.find("Content-Type: ") == std::string::npos) {
      EXPECT_EQ(openapi.Request(*operation, body), "") << method << " " << target;
    }
  }
  // The chunks of a body in one piece; "cut" if the last one is missing.
  static std::string Joined(const std::string& chunks) {
    std::string body;
    for (size_t at = 0; at < chunks.size();) {
      const size_t size = std::stoul(chunks.substr(at, 16), nullptr, 16);
      if (size == 0) return body;
      at = chunks.find("\r\n", at) + 2;
      body.append(chunks, at, size);
      at += size + 2;
    }
    return "cut";
  }
  static HttpMethod MethodNamed(const std::string& name) {
    for (HttpMethod method : {HttpMethod::kGet, HttpMethod::kPost, HttpMethod::kPut, HttpMethod::kPatch, HttpMethod::kDelete}) {
      if (NameOf(method) == name) return method;
    }
    return HttpMethod::kOther;
  }

  absl::Mutex mutex_;
  Principal principal_ ABSL_GUARDED_BY(mutex_){"tester", Role::kAdmin, {}};
  MetricBook metric_book_{{}, {}, &clock};
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<DocumentStore> documents_;
  std::unique_ptr<PolicyShelf> policies_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace gnomon
