// A federation of real processes: ten clients with parts of Fashion-MNIST, and an aggregator with its dashboard.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** @import { ChildProcess } from 'node:child_process' */

const programs = process.env['HANSA_BIN'] ?? '';

/** @param {string} file @param {(text: string) => string} change */
async function edit(file, change) {
  await writeFile(file, change(await readFile(file, 'utf8')));
}

/** A process whose output is searched as it comes. */
class Program {
  output = '';
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {string} name @param {string[]} args */
  constructor(name, args) {
    this.name = name;
    this.process = spawn(join(programs, name), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.process, 'close');
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (/** @type {string} */ text) => {
        this.output += text;
        for (const listener of this.#listeners) listener();
      });
    }
    this.process.on('close', () => this.#listeners.forEach((listener) => listener()));
  }

  /** Waits for a text; fails if the process ends without it. @param {RegExp} pattern @returns {Promise<RegExpExecArray>} */
  async waitFor(pattern) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this.output);
        if (!match && this.process.exitCode === null && this.process.signalCode === null) return;
        this.#listeners.delete(look);
        if (match) resolve(match);
        else reject(new Error(`${this.name} ended without ${pattern}:\n${this.output.slice(-4000)}`));
      };
      this.#listeners.add(look);
      look();
    });
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    await this.ended;
  }
}

export class RealFederation {
  /** @type {Map<string, Program>} */
  #clients = new Map();
  /** @type {Program | null} */
  #aggregator = null;
  /** @type {Program | null} */
  #watcher = null;

  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
    this.address = '';
    this.token = '';
  }

  /** @param {{ declines: string }} options  the client that declines each task */
  static async start({ declines }) {
    if (!programs) throw new Error('HANSA_BIN names the folder of the programs, for example build/dev/bin');
    const parent = await mkdtemp(join(tmpdir(), 'hansa-dashboard-'));
    const folder = join(parent, 'ten');
    await promisify(execFile)(join(programs, 'hansa'), [
      'new',
      folder,
      '--example',
      'fashion-mnist',
      '--clients',
      '10',
      '--rounds',
      '500',
    ]);
    const federation = new RealFederation(folder);
    await edit(join(folder, 'federation.toml'), (text) =>
      text
        .replace(/^bind = .*/m, 'bind = "tcp://127.0.0.1:0"')
        .replace(/^listen = .*/m, 'listen = "127.0.0.1:0"')
        .replace(/^clients_min = .*/m, 'clients_min = 6')
        .replace(/^quorum = .*/m, 'quorum = 0.6')
        .replace(/^deadline_s = .*/m, 'deadline_s = 60')
        .replace(/^\[evaluation\]/m, '[evaluation]\non_clients = { fraction = 0.2 }'),
    );
    await edit(join(folder, 'sites', declines, 'client.toml'), (text) =>
      text.replace(/^# memory_mib_max = .*/m, 'memory_mib_max = 1'),
    );
    await federation.#startProcesses();
    return federation;
  }

  async #startProcesses() {
    const aggregator = new Program('hansa-aggregator', [join(this.folder, 'federation.toml')]);
    this.#aggregator = aggregator;
    const bound = (await aggregator.waitFor(/ at (tcp:\/\/127\.0\.0\.1:\d+)/))[1] ?? '';
    this.address = (await aggregator.waitFor(/(http:\/\/127\.0\.0\.1:\d+\/)/))[1] ?? '';
    this.token = (await readFile(join(this.folder, 'dashboard.token'), 'utf8')).trim();
    for (let number = 1; number <= 10; number++) {
      const name = `client-${String(number).padStart(2, '0')}`;
      const file = join(this.folder, 'sites', name, 'client.toml');
      await edit(file, (text) => text.replace(/^address = .*/m, `address = "${bound}"`));
      this.#clients.set(name, new Program('hansa-client', [file]));
    }
  }

  /** @param {string} client */
  async kill(client) {
    await this.#clients.get(client)?.end('SIGKILL');
  }

  /** The exit code of the aggregator, which was asked to stop. */
  async aggregatorEnds() {
    await this.#aggregator?.ended;
    return this.#aggregator?.process.exitCode;
  }

  /** Serves the finished runs with `hansa dashboard`. @returns {Promise<string>} the address */
  async watchFolder() {
    this.#watcher = new Program('hansa', ['dashboard', join(this.folder, 'runs'), '--listen', '127.0.0.1:0']);
    return (await this.#watcher.waitFor(/(http:\/\/127\.0\.0\.1:\d+\/)/))[1] ?? '';
  }

  /** Writes the newest run's report. @returns {Promise<string>} the file */
  async writeReport() {
    const file = join(this.folder, 'report.html');
    await promisify(execFile)(join(programs, 'hansa'), [
      'report',
      join(this.folder, 'runs'),
      '--register',
      join(this.folder, 'devices.sqlite'),
      '-o',
      file,
    ]);
    return file;
  }

  /** What the processes printed, for a failed test. */
  report() {
    return [this.#aggregator, ...this.#clients.values()]
      .map((program) => `--- ${program?.name}\n${program?.output.slice(-1500)}`)
      .join('\n');
  }

  async close() {
    for (const program of [...this.#clients.values(), this.#aggregator, this.#watcher])
      await program?.end('SIGKILL');
    await rm(join(this.folder, '..'), { recursive: true, force: true });
  }
}
