/** /sys/kernel/tracing. */

export const TRACING = `
available_events: Tracepoints there are, as system:name.
buffer_size_kb: Size of each CPU's ring buffer. It takes its memory when tracing is first used: 1408 kB a CPU unless another
  size was written before.
buffer_total_size_kb: The same for all CPUs together.
current_tracer: nop: only tracepoints, no tracing of functions.
set_event: Tracepoints that are switched on. Write system:name, system:* or !name.
trace: What the buffers hold, oldest first; reading leaves it there. Any write empties them.
trace_clock: The clock of the time stamps, in brackets. Another choice empties the buffers.
trace_pipe: The same as trace, but what was read is gone.
tracing_on: 0 stops recording and keeps what there is; the tracepoints stay switched on.
`
