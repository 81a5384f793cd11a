// Checks the files of deploy/: scripts/test-deploy.
//
//   node check.mjs ROOT MODULES RENDERED
//
// RENDERED has a folder of rendered templates for each file of values: kubernetes/ and kubeedge/. Prints each mistake, and
// "deploy: N files valid, F failed". Exits with 1 if F is not 0.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { kubernetesValidator } from "./kubernetes_schemas.mjs";

const [root, modules, rendered] = process.argv.slice(2);
const require = createRequire(modules + "/");
const YAML = require("yaml");
const Ajv = require("ajv");
const deploy = path.join(root, "deploy");
const chart = path.join(deploy, "helm/hansa");
const read = (file) => fs.readFileSync(file, "utf8");

const mistakes = new Map(); // by file
const inspect = (file, found) => {
  const name = path.relative(root, file);
  mistakes.set(name, [...(mistakes.get(name) ?? []), ...found]);
};

const version = /project\(hansa VERSION (\d+\.\d+\.\d+)/.exec(read(path.join(root, "CMakeLists.txt")))[1];
const imageMistakes = (image) => (image.endsWith(":" + version) ? [] : [`has the image ${image}, and Hansa is ${version}`]);

// --- which variables there are: the tables of docs/configuration.md, which is generated from the settings
function variablesOf(chapter) {
  const text = read(path.join(root, "docs/configuration.md")).split(/^## /m).find((part) => part.startsWith(chapter));
  const names = new Set();
  let table;
  for (const line of text.split("\n")) {
    const heading = /^### \[([\w.]+)\]/.exec(line);
    if (line.startsWith("### ")) table = heading?.[1];
    const key = /^\| `(\w+)` \|/.exec(line);
    if (table && key) names.add("HANSA__" + `${table}.${key[1]}`.replaceAll(".", "__").toUpperCase());
  }
  return names;
}
const clientVariables = new Set([...variablesOf("client.toml"), ...variablesOf("Environment variables"), "NODE_NAME", "HANSA_LOG", "HANSA_LOG_FORMAT"]);
const federationVariables = new Set([...variablesOf("federation.toml"), "HANSA_LOG", "HANSA_LOG_FORMAT"]);
const unknownVariables = (names, known) => names.filter((name) => !known.has(name)).map((name) => `${name} is for no setting`);
const secretVariables = (names) => names.filter((name) => name === "HANSA__JOIN__TOKEN").map((name) => `${name} is a secret, which belongs into a file`);

// --- Kubernetes
const validate = kubernetesValidator(modules);
const includes = (labels, selector) => Object.entries(selector).every(([key, value]) => labels?.[key] === value);

function podMistakes(pod) {
  const out = [];
  const must = (holds, what) => holds || out.push(what);
  const context = pod.securityContext ?? {};
  must(context.runAsNonRoot === true && context.runAsUser > 0, "the pod may run as root");
  must(context.seccompProfile?.type === "RuntimeDefault", "the pod has no seccomp profile");
  must(pod.automountServiceAccountToken === false, "the pod has a token of the cluster's API");
  must(!pod.hostPID && !pod.hostIPC, "the pod sees the node's processes");
  const volumes = new Set(pod.volumes?.map((volume) => volume.name));
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const own = container.securityContext ?? {};
    const at = `container ${container.name}`;
    must(own.allowPrivilegeEscalation === false && !own.privileged, `${at} may gain privileges`);
    must(own.readOnlyRootFilesystem === true, `${at} may write to its image`);
    must(own.capabilities?.drop?.includes("ALL") && !own.capabilities.add, `${at} has capabilities`);
    must(/[:@]/.test(container.image) && !container.image.endsWith(":latest"), `${at} has an image without a version`);
    must(container.name === "load" || container.resources?.limits?.memory, `${at} has no limit of memory`);
    for (const mount of container.volumeMounts ?? []) must(volumes.has(mount.name), `${at} mounts ${mount.name}, which is no volume`);
  }
  return out;
}

function workloadMistakes(object) {
  const template = object.spec.template;
  const pod = structuredClone(template.spec);
  pod.volumes = [...(pod.volumes ?? []), ...(object.spec.volumeClaimTemplates ?? []).map((claim) => ({ name: claim.metadata.name }))];
  const out = podMistakes(pod);
  if (!includes(template.metadata.labels, object.spec.selector.matchLabels)) out.push("the selector does not match the pods");
  for (const container of pod.containers) {
    const names = (container.env ?? []).map((variable) => variable.name);
    out.push(...unknownVariables(names, container.name === "client" ? clientVariables : federationVariables), ...secretVariables(names));
  }
  return out;
}

// All objects of a file, and the mistakes of each.
function manifestMistakes(file, all) {
  const out = [];
  for (const document of YAML.parseAllDocuments(read(file), { strict: true })) {
    out.push(...document.errors.map((error) => error.message.split("\n")[0]));
    if (document.errors.length) continue;
    const object = document.toJS();
    if (object === null) continue;
    const at = `${object.kind} ${object.metadata?.name}: `;
    const found = validate(object);
    if (found.length === 0 && object.spec.template) found.push(...workloadMistakes(object));
    out.push(...found.map((mistake) => at + mistake));
    all.push(object);
  }
  if (all.length === 0) out.push("has no object");
  return out;
}

function referenceMistakes(all) {
  const out = [];
  const workloads = all.filter((object) => object.spec.template);
  for (const object of all) {
    const selector = object.kind === "Service" ? object.spec.selector : object.kind === "NetworkPolicy" ? object.spec.podSelector.matchLabels : undefined;
    if (!selector) continue;
    const chosen = workloads.filter((workload) => includes(workload.spec.template.metadata.labels, selector));
    if (chosen.length !== 1) out.push(`${object.kind} ${object.metadata.name} selects ${chosen.length} workloads`);
    if (object.kind !== "Service") continue;
    const ports = new Set(chosen.flatMap((workload) => workload.spec.template.spec.containers.flatMap((container) => (container.ports ?? []).map((port) => port.name))));
    for (const port of object.spec.ports) if (!ports.has(port.targetPort)) out.push(`Service ${object.metadata.name} has the port ${port.targetPort}, which no container has`);
  }
  return out;
}

for (const [folder, files] of [["kubernetes", ["aggregator.yaml", "client.yaml", "network-policy.yaml"]], ["kubeedge", ["client.yaml"]]]) {
  const made = fs.readdirSync(path.join(rendered, folder)).sort();
  const all = [];
  for (const name of files) {
    const file = path.join(deploy, folder, name);
    const objects = [];
    inspect(file, manifestMistakes(file, objects));
    all.push(...objects);
    // The chart is the source, so that its templates are checked too.
    if (!made.includes(name) || !read(file).endsWith(read(path.join(rendered, folder, name))))
      inspect(file, ["is not what the chart gives: scripts/test-deploy --write"]);
  }
  for (const name of made) if (!files.includes(name)) inspect(path.join(deploy, folder, name), ["the chart gives this file too"]);
  inspect(path.join(deploy, folder, files[0]), referenceMistakes(all));
}

// --- the chart
const yamlOf = (file) => {
  try {
    return [YAML.parse(read(file), { strict: true }), []];
  } catch (error) {
    return [undefined, [error.message.split("\n")[0]]];
  }
};
const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
const schemaFile = path.join(chart, "values.schema.json");
let accepts = () => true;
try {
  const schema = JSON.parse(read(schemaFile));
  accepts = ajv.compile(schema);
  inspect(schemaFile, []);
} catch (error) {
  inspect(schemaFile, [error.message]);
}
const merged = (into, from) => {
  const out = { ...into };
  for (const [key, value] of Object.entries(from ?? {}))
    out[key] = value && typeof value === "object" && !Array.isArray(value) && typeof into?.[key] === "object" ? merged(into[key], value) : value;
  return out;
};
const [defaults, defaultMistakes] = yamlOf(path.join(chart, "values.yaml"));
const valuesMistakes = (values) => (accepts(values) ? [] : accepts.errors.map((error) => `${error.instancePath} ${error.message}`));
inspect(path.join(chart, "values.yaml"), [...defaultMistakes, ...valuesMistakes(defaults), ...imageMistakes(defaults.aggregator.image), ...imageMistakes(defaults.client.image)]);
const [edge, edgeMistakes] = yamlOf(path.join(deploy, "kubeedge/values.yaml"));
inspect(path.join(deploy, "kubeedge/values.yaml"), [...edgeMistakes, ...valuesMistakes(merged(defaults, edge))]);
// Values that must be refused.
for (const [what, values] of [
  ["an unknown value", { client: { imagge: "x:1" } }],
  ["a number as a variable", { client: { variables: { HANSA__RESOURCES__THREADS: 2 } } }],
  ["a token as a value", { client: { variables: { HANSA__JOIN__TOKEN: "HANSA1AEAQ" } } }],
  ["another variable", { client: { variables: { LD_PRELOAD: "/x.so" } } }],
  ["an image without a version", { aggregator: { image: "hansa-aggregator" } }],
  ["a relative folder", { client: { statePath: "var/lib" } }],
  ["clients on every node", { client: { nodeSelector: null } }],
])
  if (accepts(merged(defaults, values))) inspect(schemaFile, [`accepts ${what}`]);
const [about, aboutMistakes] = yamlOf(path.join(chart, "Chart.yaml"));
if (about && !(about.apiVersion === "v2" && about.name === path.basename(chart) && /^\d+\.\d+\.\d+$/.test(about.version)))
  aboutMistakes.push("needs apiVersion v2, the folder's name, and a version");
if (about && about.appVersion !== version) aboutMistakes.push(`appVersion is ${about.appVersion}, and Hansa is ${version}`);
inspect(path.join(chart, "Chart.yaml"), aboutMistakes);

// --- Azure IoT Edge
function edgeManifestMistakes(file) {
  const out = [];
  const must = (holds, what) => holds || out.push(what);
  const accepted = ajv.compile(JSON.parse(read(path.join(root, "tests/deploy/iot_edge_deployment.schema.json"))));
  const manifest = JSON.parse(read(file));
  if (!accepted(manifest)) return accepted.errors.map((error) => `${error.instancePath} ${error.message}`);
  const desired = manifest.modulesContent.$edgeAgent["properties.desired"];
  const parts = { ...desired.systemModules, ...desired.modules };
  for (const [name, part] of Object.entries(parts)) {
    let options;
    try {
      options = JSON.parse(part.settings.createOptions);
    } catch {
      out.push(`${name}: createOptions is no JSON`);
      continue;
    }
    const host = options.HostConfig ?? {};
    must(!host.Privileged && !host.CapAdd && !host.PidMode && !host.Devices, `${name} is privileged`);
    if (name in desired.systemModules) continue;
    must(host.ReadonlyRootfs === true, `${name} may write to its image`);
    must(host.CapDrop?.includes("ALL"), `${name} has capabilities`);
    must(host.SecurityOpt?.includes("no-new-privileges:true"), `${name} may gain privileges`);
    must(host.Memory > 0, `${name} has no limit of memory`);
    out.push(...imageMistakes(part.settings.image));
    const names = Object.keys(part.env);
    out.push(...unknownVariables(names, clientVariables), ...secretVariables(names));
  }
  // Both kinds of edge devices have the same client.
  const daemonSet = YAML.parseAllDocuments(read(path.join(deploy, "kubeedge/client.yaml"))).map((document) => document.toJS()).find((object) => object?.kind === "DaemonSet");
  const ofKubeEdge = JSON.stringify(daemonSet.spec.template.spec.containers[0].env.map(({ name, value }) => [name, value]).sort());
  const ofIotEdge = JSON.stringify(Object.entries(desired.modules["hansa-client"].env).map(([name, { value }]) => [name, value]).sort());
  must(ofKubeEdge === ofIotEdge, "hansa-client has other variables than deploy/kubeedge/client.yaml");
  return out;
}
const edgeManifest = path.join(deploy, "azure-iot-edge/deployment.json");
inspect(edgeManifest, edgeManifestMistakes(edgeManifest));

// --- every file was checked; a template by what is made from it
const templates = path.join(chart, "templates");
for (const name of fs.readdirSync(templates)) inspect(path.join(templates, name), fs.existsSync(path.join(rendered, "kubernetes", name)) ? [] : ["gives nothing"]);
const walk = (folder) => fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? walk(path.join(folder, entry.name)) : [path.join(folder, entry.name)]));
for (const file of walk(deploy)) if (!mistakes.has(path.relative(root, file))) inspect(file, ["is not checked: add it to tests/deploy/check.mjs"]);

let failed = 0;
for (const [file, found] of mistakes) {
  for (const mistake of found) console.log(`${file}: ${mistake}`);
  if (found.length) ++failed;
}
console.log(`deploy: ${mistakes.size - failed} files valid, ${failed} failed`);
process.exit(failed ? 1 : 0);
