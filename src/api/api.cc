// SPDX-License-Identifier: Apache-2.0
#include "api/api.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/auth.h"
#include "api/decode.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
Api::Api(Parts parts)
    : parts_(std::move(parts)), encoder_(parts_.service), router_(Routes()),
      watches_(std::make_unique<WatchPump>(parts_.service, parts_.heartbeat)) {}

Api::~Api() {
  std::thread backup;
  {
    absl::MutexLock lock(&backup_mutex_);
    backup = std::move(backup_thread_);
  }
  if (backup.joinable()) backup.join();
  absl::MutexLock lock(&open_mutex_);
  open_mutex_.Await(absl::Condition(+[](size_t* open) { return *open == 0; }, &open_));
}

// The busiest first.
std::vector<Route> Api::Routes() {
  using M = HttpMethod;
  constexpr bool kQuery = true, kNoQuery = false, kChecksNetwork = true, kProtobuf = true;
  return {
      {M::kPost, "/v1/networks/{network}/instances", Role::kAllocator, &Api::CreateInstance},
      {M::kDelete, "/v1/networks/{network}/instances/{instance}", Role::kAllocator, &Api::DeleteInstance, kQuery},
      {M::kGet, "/v1/networks/{network}/instances/{instance}", Role::kViewer, &Api::GetInstance},
      {M::kPatch, "/v1/networks/{network}/instances/{instance}", Role::kAllocator, &Api::PatchInstance},
      {M::kPost, "/v1/networks/{network}/instances/{instance}:reassign", Role::kAllocator, &Api::ReassignInstance},
      {M::kPost, "/v1/networks/{network}/instances:batch", Role::kAllocator, &Api::CreateInstances},
      {M::kPost, "/predict_instances", Role::kAllocator, &Api::Predict, kNoQuery, kChecksNetwork},
      {M::kPost, "/v1/predict_instances", Role::kAllocator, &Api::Predict, kNoQuery, kChecksNetwork},
      {M::kGet, "/available_shadow_address", Role::kViewer, &Api::PeekShadow, kQuery, kChecksNetwork},
      {M::kGet, "/v1/available_shadow_address", Role::kViewer, &Api::PeekShadow, kQuery, kChecksNetwork},
      {M::kGet, "/livez", Role::kNone, &Api::Livez},
      {M::kGet, "/readyz", Role::kNone, &Api::Readyz, kQuery},
      {M::kGet, "/version", Role::kNone, &Api::Version},
      {M::kGet, "/metrics", Role::kViewer, &Api::MetricsText},
      {M::kGet, "/openapi.json", Role::kNone, &Api::OpenApi},
      {M::kGet, "/v1/networks/{network}/instances", Role::kViewer, &Api::ListInstances, kQuery},
      {M::kGet, "/v1/networks/{network}/shadows", Role::kViewer, &Api::ListShadows, kQuery},
      {M::kGet, "/v1/networks/{network}/addresses", Role::kViewer, &Api::ListAddresses, kQuery},
      {M::kGet, "/v1/networks/{network}/addresses/{address}", Role::kViewer, &Api::GetAddress},
      {M::kDelete, "/v1/networks/{network}/addresses/{address}", Role::kAllocator, &Api::DeleteAddress},
      {M::kGet, "/v1/networks/{network}/watch", Role::kViewer, &Api::Watch, kQuery},
      {M::kPost, "/v1/networks", Role::kAdmin, &Api::CreateNetwork, kNoQuery, kChecksNetwork},
      {M::kGet, "/v1/networks", Role::kViewer, &Api::ListNetworks, kQuery, kChecksNetwork},
      {M::kGet, "/v1/networks/{network}", Role::kViewer, &Api::GetNetwork},
      {M::kPatch, "/v1/networks/{network}", Role::kAdmin, &Api::PatchNetwork},
      {M::kDelete, "/v1/networks/{network}", Role::kAdmin, &Api::DeleteNetwork},
      {M::kGet, "/v1/networks/{network}/plans", Role::kViewer, &Api::ListPlans, kQuery},
      {M::kGet, "/v1/networks/{network}/forecasts", Role::kViewer, &Api::ListForecasts, kQuery},
      {M::kGet, "/v1/networks/{network}/quality", Role::kViewer, &Api::ListQuality, kQuery},
      {M::kPost, "/v1/networks/{network}/announcements", Role::kAllocator, &Api::CreateAnnouncement},
      {M::kGet, "/v1/networks/{network}/announcements", Role::kViewer, &Api::ListAnnouncements, kQuery},
      {M::kDelete, "/v1/networks/{network}/announcements/{source}/{id}", Role::kAllocator, &Api::DeleteAnnouncement},
      {M::kPost, "/v1/networks/{network}/policies", Role::kAdmin, &Api::ApplyPolicies},
      {M::kGet, "/v1/networks/{network}/policies", Role::kViewer, &Api::ListPolicies, kQuery},
      {M::kGet, "/v1/networks/{network}/policies:explain", Role::kViewer, &Api::ExplainPolicies, kQuery},
      {M::kGet, "/v1/networks/{network}/policies/{policy}", Role::kViewer, &Api::GetPolicy},
      {M::kDelete, "/v1/networks/{network}/policies/{policy}", Role::kAdmin, &Api::DeletePolicy},
      {M::kPost, "/v1/networks/{network}/receivers/github", Role::kNone, &Api::ReceiveGithub},
      {M::kPost, "/v1/networks/{network}/receivers/alertmanager", Role::kAllocator, &Api::ReceiveAlerts},
      {M::kPost, "/v1/networks/{network}/receivers/cloudevents", Role::kAllocator, &Api::ReceiveCloudEvents},
      {M::kPut, "/v1/networks/{network}/calendars/{calendar}", Role::kAllocator, &Api::PutCalendar},
      {M::kGet, "/v1/networks/{network}/calendars", Role::kViewer, &Api::ListCalendars, kQuery},
      {M::kGet, "/v1/networks/{network}/calendars/{calendar}", Role::kViewer, &Api::GetCalendar},
      {M::kDelete, "/v1/networks/{network}/calendars/{calendar}", Role::kAllocator, &Api::DeleteCalendar},
      {M::kPost, "/v1/networks/{network}/history", Role::kAdmin, &Api::ImportHistory},
      {M::kPost, "/v1/networks/{network}/pools", Role::kAdmin, &Api::CreatePool},
      {M::kGet, "/v1/networks/{network}/pools", Role::kViewer, &Api::ListPools, kQuery},
      {M::kGet, "/v1/networks/{network}/pools/{pool}", Role::kViewer, &Api::GetPool},
      {M::kPatch, "/v1/networks/{network}/pools/{pool}", Role::kAdmin, &Api::PatchPool},
      {M::kDelete, "/v1/networks/{network}/pools/{pool}", Role::kAdmin, &Api::DeletePool},
      {M::kPut, "/v1/hosts/{host}", Role::kAdmin, &Api::PutHost},
      {M::kGet, "/v1/hosts", Role::kViewer, &Api::ListHosts, kQuery},
      {M::kGet, "/v1/hosts/{host}", Role::kViewer, &Api::GetHost},
      {M::kDelete, "/v1/hosts/{host}", Role::kAdmin, &Api::DeleteHost},
      {M::kPost, "/api/v1/write", Role::kAllocator, &Api::WriteSamples, kNoQuery, kChecksNetwork, kProtobuf},
      {M::kPost, "/v1/metrics", Role::kAllocator, &Api::ExportMetrics, kNoQuery, kChecksNetwork, kProtobuf},
      {M::kGet, "/v1/signals", Role::kViewer, &Api::ListSignals, kQuery, kChecksNetwork},
      {M::kPost, "/v1/backup", Role::kAdmin, &Api::Backup},
      {M::kPost, "/v1/expiry:resume", Role::kAdmin, &Api::ResumeExpiry},
  };
}

Api::Call Api::Open(const HttpRequest& request, HttpResponder responder) const {
  {
    absl::MutexLock lock(&open_mutex_);
    ++open_;
  }
  const Exchange::Observer* observer = parts_.observe ? &parts_.observe : nullptr;
  return Call(new Exchange(request, std::move(responder), observer), [this](Exchange* exchange) {
    delete exchange;
    absl::MutexLock lock(&open_mutex_);
    --open_;
  });
}

void Api::Handle(HttpRequest& request, HttpResponder responder) const {
  Router::Match match = router_.Find(request.method, request.path);
  absl::Status recognised = Recognise(match, &request);
  Call call = Open(request, std::move(responder));
  if (match.route != nullptr) {
    call->route = match.route->pattern;
    call->writes = match.route->method != HttpMethod::kGet;
    call->arguments = std::move(match.arguments);
    if (match.route->names_network()) call->network = call->arguments[0];
  }
  if (!recognised.ok()) {
    const std::string code = CodeOf(recognised);
    if (code == "UNSUPPORTED_MEDIA_TYPE") return call->FailAs(415, recognised);
    return call->Fail(recognised);
  }
  if (match.route == nullptr) {
    if (match.allow.empty()) return call->Fail(404, "PATH_NOT_FOUND", "there is nothing at this path; see /openapi.json");
    return call->Fail(405, "METHOD_NOT_ALLOWED", absl::StrCat("this path knows ", match.allow),
                      {{"Allow", match.allow}});
  }
  if (!match.route->takes_query) {
    if (absl::Status none = QueryArguments(request).Done(); !none.ok()) return call->Fail(none);
  }
  (this->*match.route->run)(std::move(call), request);
}

absl::Status Api::Recognise(const Router::Match& match, HttpRequest* request) const {
  if (match.route != nullptr && match.route->role == Role::kNone) return absl::OkStatus();
  if (parts_.authorize) GNOMON_RETURN_IF_ERROR(parts_.authorize(request));
  if (match.route == nullptr) return absl::OkStatus();
  const std::string_view sent = request->Header("Content-Type");
  if (!match.route->takes_protobuf && MediaTypeOf(sent) == "application/x-protobuf") {
    return Error(absl::StatusCode::kInvalidArgument, "UNSUPPORTED_MEDIA_TYPE", "no protobuf is taken here")
        .Field("Content-Type")
        .Value(Excerpt(sent))
        .Hint("send \"Content-Type: application/json\"");
  }
  if (request->principal.role < match.route->role) {
    return Error(absl::StatusCode::kPermissionDenied, "ROLE_TOO_LOW",
                 absl::StrCat(request->principal.id, " has the role ", AbslView(RoleName(request->principal.role)),
                              ", and this needs ", AbslView(RoleName(match.route->role))))
        .Hint("use a token of that role; gnomond --make-token makes one");
  }
  if (match.route->names_network() && !request->principal.MayUse(match.arguments[0])) {
    return NetworkForbidden(match.arguments[0]);
  }
  if (!match.route->for_all_networks() || request->principal.networks.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied, "NETWORK_FORBIDDEN",
               absl::StrCat("this concerns all networks, and the token ", request->principal.id, " is for some alone"))
      .Hint("use a token without a list of networks");
}

}  // namespace gnomon
