// SPDX-License-Identifier: Apache-2.0
//
// What a daemon asks of the system that runs it: files, signals, and the word to the service manager.
//
// Threads: from the main thread, before others start; Notify from any.
#pragma once

#include <string_view>

namespace gnomon {

// Raises the limit of open files to the most that is allowed.
void RaiseFileLimit();

// Keeps SIGTERM and SIGINT back from every thread that starts from here on, and ignores SIGPIPE.
void HoldSignals();
// Waits for one of them and lets them act from then on, so that a second one ends the process at once.
int AwaitSignal();

// Tells systemd, or whoever else set NOTIFY_SOCKET, of a new state: "READY=1". See sd_notify(3); nobody there is fine.
void Notify(std::string_view state);

}  // namespace gnomon
