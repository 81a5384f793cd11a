// The shapes of the HTTP API, version 1 (server/monitor/openapi.json). Types only.

/** @typedef {{ name: string, mean: number | null, count: number }[]} Metrics  count: examples */
/** @typedef {'counted' | 'no_answer' | 'disconnected' | 'declined' | 'rejected' | 'late'} Outcome */

/**
 * GET /federation
 * @typedef {object} Federation
 * @property {string} name  "" if several federations are shown
 * @property {string} version
 * @property {string} commit
 * @property {number} protocol
 * @property {{ run: string } | null} live  the run that this process works on
 * @property {boolean} may_act  the request had the operator's token, and there is a live aggregator
 * @property {('stop' | 'devices' | 'invite')[]} actions
 * @property {boolean} devices  whether there is a register of devices
 */

/** @typedef {'running' | 'stopped' | 'finished' | 'not begun' | 'unreadable'} RunState */

/**
 * GET /runs
 * @typedef {object} Run
 * @property {string} run
 * @property {string} federation
 * @property {'production' | 'simulated'} kind
 * @property {RunState} state
 * @property {string} [problem]
 * @property {number} rounds  committed
 * @property {number | null} rounds_configured  null: no end
 * @property {string | null} started_at
 * @property {string | null} last_round_at
 * @property {string} started_from
 * @property {{ round: number, metric: string, value: number | null } | null} best
 * @property {{ metric: string, value: number | null } | null} last
 */

/** @typedef {'unknown' | 'cohort' | 'updates' | 'opening' | 'refused_sum'} AbandonCause */

/**
 * GET /runs/{run}
 * @typedef {Run & {
 *   seed: string, archive: string, layout: string, initial_model: string,
 *   model: { parameters: number, bytes: number },
 *   why_ended: string | null, configured_after: number[],
 *   abandoned: { round: number, attempt: number, at: string, cause: AbandonCause, reason: string }[],
 *   statistics: { means: (number | null)[], deviations: (number | null)[] } | null, method: string, optimizer: string }} RunDetail
 */

/**
 * @typedef {object} HeldOutMetric
 * @property {string} name
 * @property {number | null} mean
 * @property {number} examples
 * @property {[number | null, number | null] | null} worst
 * @property {[number | null, number | null][] | null} quartiles
 * @property {[number | null, number | null] | null} mean_of_clients
 * @property {[number | null, number | null] | null} worst_tenth
 */

/**
 * @typedef {object} SecureRound
 * @property {number} neighbours
 * @property {number} threshold
 * @property {number} with_keys
 * @property {number} recovered
 * @property {number} value_bits
 * @property {number} ring_bits
 * @property {number} clip
 * @property {number} setup_seconds
 * @property {number} unmask_seconds
 */

/**
 * @typedef {object} Round
 * @property {number} round
 * @property {string} started_at
 * @property {number} seconds
 * @property {number} attempt
 * @property {number} selected
 * @property {number} counted
 * @property {number} lost
 * @property {number} examples
 * @property {number} bytes_up
 * @property {number} bytes_down
 * @property {number | null} update_norm
 * @property {string} model
 * @property {boolean} model_kept
 * @property {Metrics} training
 * @property {Metrics} evaluation
 * @property {{ of_round: number, clients: number | null, metrics: HeldOutMetric[] } | null} held_out
 * @property {SecureRound | null} secure
 */

/**
 * @typedef {object} Participant
 * @property {string} client
 * @property {Outcome} outcome
 * @property {string} reason
 * @property {number | null} examples  null: hidden by secure aggregation, or not counted
 * @property {number} bytes_up
 * @property {number} bytes_down
 * @property {number} seconds
 * @property {number} train_seconds
 * @property {Metrics} metrics
 */

/** @typedef {{ name: string, norm: number | null }} LayerNorm */
/** @typedef {{ client: string, base: number, task: number, staleness: number, weight: number }} Arrival */
/** @typedef {Round & { participants: Participant[], layers: LayerNorm[] | null, arrivals: Arrival[] | null }} RoundDetail */

/**
 * GET /runs/{run}/model
 * @typedef {object} Model
 * @property {number} parameters
 * @property {number} bytes
 * @property {{ name: string, shape: number[], values: number, trained: boolean }[]} layers
 * @property {{ rounds: number[], by_layer: { name: string, norms: (number | null)[] }[] }} norms
 * @property {{ run: string, round: number }[]} lineage
 * @property {string} export_command
 */

/** @typedef {{ after: number, text: string }} ConfigurationVersion */

/**
 * GET /runs/{run}/privacy
 * @typedef {object} Privacy
 * @property {boolean} secure_aggregation
 * @property {'semi_honest' | 'active' | null} model
 * @property {{ what: string, visible: boolean, detail: string }[]} sees
 * @property {{ clients_min: number | null, threshold: number | null, corrupt: number | null, dropouts: number | null }} thresholds
 * @property {number} recovered_total
 * @property {number} refused_sums
 */

/** @typedef {'pending' | 'certified' | 'admitted' | 'quarantined' | 'revoked' | 'denied' | 'removed'} DeviceState */

/**
 * GET /devices
 * @typedef {object} Device
 * @property {string} name
 * @property {string} label
 * @property {DeviceState} state
 * @property {string} identity
 * @property {string} software
 * @property {string | null} last_seen
 * @property {boolean | null} connected  null: not live
 * @property {number} examples
 * @property {number | null} new_examples
 * @property {number} counted
 * @property {number} lost
 * @property {string} lost_why
 * @property {number | null} train_examples_per_s
 * @property {number | null} upload_bytes_per_s
 * @property {number} bytes_up
 * @property {number} bytes_down
 * @property {{ faults: number, rests_seconds: number }} reliability
 * @property {string | null} certificate_expires
 */

/**
 * @typedef {object} DeviceRound
 * @property {string} run
 * @property {number} round
 * @property {string} at
 * @property {Outcome} outcome
 * @property {string} reason
 * @property {number} seconds
 * @property {number | null} examples
 */
/** @typedef {Device & { history: DeviceRound[] }} DeviceDetail */

/**
 * @typedef {object} Member
 * @property {string} client
 * @property {string} state  pending, absent, left, verifying, counted, declined, rejected
 * @property {number} since_seconds
 * @property {number | null} upload  0 to 1 while it uploads
 */
/** @typedef {{ level: 'warning' | 'error', at: string, text: string, event: string, count: number, first_at: string }} Alarm  of the newest of `count` */

/**
 * GET /live
 * @typedef {object} Live
 * @property {string} run
 * @property {string} at
 * @property {'gathering' | 'training' | 'unmasking' | 'committing' | 'finished'} phase
 * @property {number} phase_seconds
 * @property {number} round
 * @property {number | null} rounds
 * @property {number} attempt
 * @property {number} connected
 * @property {number} ready
 * @property {number} needed
 * @property {number} expected  ready, needed and expected are known while clients are gathered, else 0
 * @property {number | null} starts_in_seconds
 * @property {string} waits
 * @property {string} exchange
 * @property {string} retry
 * @property {string} why_done
 * @property {Member[]} members
 * @property {string[]} missing  while clients are gathered: "NAME" or "NAME (why)"
 * @property {string[]} left_out  "NAME (why)", or "NAME (30 s)": for how long
 * @property {number} evaluations_waiting
 * @property {number} bytes_up
 * @property {number} bytes_down
 * @property {number | null} round_seconds_median
 * @property {number | null} eta_seconds
 * @property {Alarm[]} alarms
 */

/** @typedef {'debug' | 'info' | 'warning' | 'error'} LogLevel */

/**
 * GET /log
 * @typedef {object} LogRecord
 * @property {number} sequence
 * @property {string} time
 * @property {LogLevel} level
 * @property {string} component
 * @property {string} [event]
 * @property {string} message
 * @property {number} [round]
 * @property {string} [client]
 * @property {string} [phase]
 */

/** @typedef {{ token: string, expires: string, command: string }} Invitation */

export {};
