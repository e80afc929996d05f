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
#include "signals/scaling_policy.h"

namespace gnomon {

// Kubernetes, of which `kind` is one that IsKubernetesPolicy.
bool IsKubernetesPolicy(std::string_view kind);
void ReadKubernetesPolicy(std::string_view kind, DocumentFields& document, ScalingPolicy* policy);
// "behavior" of an autoscaler, as KEDA has it too.
void ReadBehavior(DocumentFields behavior, ScalingPolicy* policy);
// Name, type and title from "metadata"; `prefix` is the kind in lower case.
void ReadMetadata(std::string_view prefix, DocumentFields& metadata, ScalingPolicy* policy);

void ReadScaledObject(DocumentFields& document, ScalingPolicy* policy);

// AWS. `group`: of the request that the item is part of, or empty.
void ReadGroup(DocumentFields& item, ScalingPolicy* policy);
void ReadScheduledAction(DocumentFields& item, const std::string& group, ScalingPolicy* policy);
void ReadScalingPolicy(DocumentFields& item, ScalingPolicy* policy);
// "TargetTrackingConfiguration" or "PredictiveScalingConfiguration", alone.
void ReadTargetTracking(DocumentFields& configuration, ScalingPolicy* policy);
void ReadPredictive(DocumentFields& configuration, ScalingPolicy* policy);

// A name of ours for one of theirs: what names do not have becomes "~2f".
std::string EncodedName(std::string_view theirs);

// Into `schedule`, with `name` for its errors.
void ReadCron(DocumentFields& fields, std::string_view name, std::optional<CronSchedule>* schedule);
void ReadZone(DocumentFields& fields, std::string_view name, Zone* zone);

}  // namespace gnomon
