// SPDX-License-Identifier: Apache-2.0
//
// ReadPolicies turns the documents of autoscalers, as they are, into policies.
//
// Read are, in YAML or JSON: Kubernetes HorizontalPodAutoscaler (v1, v2beta2, v2), Deployment, StatefulSet, and List of them;
// KEDA ScaledObject; the output of AWS' describe-auto-scaling-groups, describe-scheduled-actions and describe-policies, the
// input of create-/update-auto-scaling-group, put-scheduled-update-group-action, batch-put-scheduled-update-group-action and
// put-scaling-policy, and the target tracking and predictive configurations alone. Other kinds of Kubernetes are passed over.
//
// The type of instances is, the first that is there: the one that is given; the annotation gnomon.dev/type (AWS: the tag); the
// name of the target or group.
//
// Threads: free functions.
// Errors: INVALID_DOCUMENT, INVALID_POLICY, INVALID_CRON, UNKNOWN_TIME_ZONE, all with the file and the line; POLICY_TWICE.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "signals/scaling_policy.h"

namespace gnomon {

struct PolicyText {
  std::string_view text;
  std::string file = "-";  // that messages name
  std::string type = {};   // of instances, for all documents; empty: what they say
};

struct PoliciesRead {
  std::vector<ScalingPolicy> policies = {};           // not empty
  std::vector<std::string> passed_over = {};  // "service/web"
};

absl::StatusOr<PoliciesRead> ReadPolicies(const PolicyText& from);

}  // namespace gnomon
