#pragma once

namespace kvmend {

/// From now on SIGINT, SIGTERM and SIGUSR1 only ask the run to end after the sample in flight.
/// A second SIGINT gets the system's default: it ends the process at once.
void install_stop_signals();

/// The signal that asked to stop, 0 if none did. Safe to poll from any thread.
int stop_requested();

/// As if `signal` had arrived: what --max-time and tests call.
void request_stop(int signal);

}  // namespace kvmend
