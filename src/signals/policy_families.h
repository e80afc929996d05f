// SPDX-License-Identifier: Apache-2.0
//
// PolicyFamilies are the readers of single documents, one a system; policy_reader.h is what others call.
//
// Each fills what its document says into `policy`, and leaves errors and unknown members in the fields' context.
//
// Threads: free functions.
#pragma once

#include <string>
#include <string_view>

#include "signals/document_fields.h"
#include "signals/policy.h"

namespace gnomon {

// Kubernetes, of which `kind` is one that IsKubernetesPolicy.
bool IsKubernetesPolicy(std::string_view kind);
void ReadKubernetesPolicy(std::string_view kind, DocumentFields& document, Policy* policy);
// "behavior" of an autoscaler, as KEDA has it too.
void ReadBehavior(DocumentFields behavior, Policy* policy);
// Name, type and title from "metadata"; `prefix` is the kind in lower case.
void ReadMetadata(std::string_view prefix, DocumentFields& metadata, Policy* policy);

void ReadScaledObject(DocumentFields& document, Policy* policy);

// AWS. `group`: of the request that the item is part of, or empty.
void ReadGroup(DocumentFields& item, Policy* policy);
void ReadScheduledAction(DocumentFields& item, const std::string& group, Policy* policy);
void ReadScalingPolicy(DocumentFields& item, Policy* policy);
// "TargetTrackingConfiguration" or "PredictiveScalingConfiguration", alone.
void ReadTargetTracking(DocumentFields& configuration, Policy* policy);
void ReadPredictive(DocumentFields& configuration, Policy* policy);

// A name of ours for one of theirs: what names do not have becomes "~2F".
std::string EncodedName(std::string_view theirs);

// Into `schedule`, with `name` for its errors.
void ReadCron(DocumentFields& fields, std::string_view name, std::optional<CronSchedule>* schedule);
void ReadZone(DocumentFields& fields, std::string_view name, Zone* zone);

}  // namespace gnomon
