// What each client did when in the current round, gathered from the live states.
/** @import { Live, Member } from './types.js' */

/**
 * What is shown of a client's state.
 * @typedef {'waits' | 'trains' | 'uploads' | 'verifying' | 'counted' | 'absent' | 'left' | 'declined' | 'rejected'} Activity
 * @typedef {{ activity: Activity, start: number, end: number }} Segment  seconds since the round began
 * @typedef {{ client: string, activity: Activity, upload: number | null, segments: Segment[] }} Track
 */

/** @param {Member} member @param {Live} live @returns {Activity} */
export function activityOf(member, live) {
  switch (member.state) {
    case 'pending':
      if (member.upload !== null) return 'uploads';
      return live.phase === 'gathering' ? 'waits' : 'trains';
    case 'verifying':
    case 'counted':
    case 'absent':
    case 'left':
    case 'declined':
    case 'rejected':
      return member.state;
    default:
      return 'waits';
  }
}

/** The tracks of the current round. A new round, or a new attempt, begins again. */
export class LiveTracks {
  #key = '';
  #began = 0;
  /** @type {Map<string, Track>} */
  #tracks = new Map();
  /** Seconds since the round began, at the newest state. */
  elapsed = 0;

  get tracks() {
    return [...this.#tracks.values()];
  }

  /** @param {Live} live @param {number} now  seconds of any clock that runs evenly */
  update(live, now) {
    // Between two rounds clients are gathered for a moment: the last round stays in sight.
    if (live.phase === 'gathering' && live.members.length === 0 && live.phase_seconds < 3) return;
    // Waiting for clients does not belong to the round.
    const gathering = live.phase === 'gathering';
    const key = `${live.run} ${live.round} ${live.attempt} ${gathering}`;
    if (key !== this.#key) {
      this.#key = key;
      this.#tracks.clear();
      this.elapsed = 0;
      const since = Math.max(
        live.phase_seconds,
        ...live.members.map(({ since_seconds: seconds }) => seconds),
      );
      this.#began = gathering ? now : now - since;
    }
    if (live.phase === 'training') this.#began = now - live.phase_seconds;
    this.elapsed = Math.max(this.elapsed, now - this.#began);
    const present = new Set();
    for (const member of live.members) {
      present.add(member.client);
      this.#updateOne(member, activityOf(member, live));
    }
    for (const client of this.#tracks.keys()) if (!present.has(client)) this.#tracks.delete(client);
  }

  /** @param {Member} member @param {Activity} activity */
  #updateOne(member, activity) {
    const track = this.#tracks.get(member.client) ?? {
      client: member.client,
      activity,
      upload: null,
      segments: [],
    };
    this.#tracks.set(member.client, track);
    track.activity = activity;
    track.upload = member.upload;
    const last = track.segments.at(-1);
    if (last && last.activity === activity) {
      last.end = this.elapsed;
      return;
    }
    // An upload begins within the state "pending", so since_seconds does not tell when.
    const begun = activity === 'uploads' && last ? this.elapsed : this.elapsed - member.since_seconds;
    const start = Math.min(this.elapsed, Math.max(last ? last.start : 0, begun, 0));
    if (last) last.end = start;
    track.segments.push({ activity, start, end: this.elapsed });
  }
}

/** @type {Activity[]} */
export const activities = [
  'trains',
  'uploads',
  'verifying',
  'counted',
  'waits',
  'absent',
  'left',
  'declined',
  'rejected',
];

/** @param {Track[]} tracks @returns {{ activity: Activity, clients: number }[]} */
export function tally(tracks) {
  /** @type {Map<Activity, number>} */
  const counts = new Map();
  for (const { activity } of tracks) counts.set(activity, (counts.get(activity) ?? 0) + 1);
  return activities.flatMap((activity) => {
    const clients = counts.get(activity) ?? 0;
    return clients ? [{ activity, clients }] : [];
  });
}
