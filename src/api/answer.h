// SPDX-License-Identifier: Apache-2.0
//
// Answers: what a use case replied, written as JSON, or its error as a problem.
//
// Example:
//   parts_.service->GetNetwork(name, Answering<NetworkView>(call, [this](const NetworkView& view, JsonWriter* json) {
//     encoder_.Write(view, json);
//   }));
//
// Threads: functions; what they return may be called from any thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/exchange.h"
#include "api/json.h"
#include "service/service.h"

namespace gnomon {

// Answers with the JSON that `write` appends.
template <typename Write>
void Answer(Exchange& call, int status, Write write, std::vector<std::pair<std::string, std::string>> headers = {}) {
  std::string body;
  body.reserve(1024);
  JsonWriter json(&body);
  write(&json);
  call.Send(status, std::move(body), std::move(headers));
}

// A Reply that answers 200 with what `write(value, json)` makes of the value.
template <typename T, typename Write>
auto Answering(std::shared_ptr<Exchange> call, Write write) {
  return [call = std::move(call), write = std::move(write)](absl::StatusOr<T> value) {
    if (!value.ok()) return call->Fail(value.status());
    Answer(*call, 200, [&](JsonWriter* json) { write(*value, json); });
  };
}

// A Reply that answers 204.
inline auto AnsweringNothing(std::shared_ptr<Exchange> call) {
  return [call = std::move(call)](absl::StatusOr<Done> done) {
    done.ok() ? call->Send(204, "") : call->Fail(done.status());
  };
}

}  // namespace gnomon
