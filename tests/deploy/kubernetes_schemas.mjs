// Validates objects of Kubernetes against the schemas of its OpenAPI specification, which kubernetes-models ships.
import { createRequire } from "node:module";

// modules: the folder that has node_modules. Returns validate(object) -> list of mistakes.
export function kubernetesValidator(modules) {
  const require = createRequire(modules + "/");
  const Ajv = require("ajv");
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });

  // The package registers its schemas with a module, which is replaced here, because they allow unknown fields. An API
  // server refuses unknown fields: they are misspelled ones.
  const known = new Set();
  const register = (id, schema) => {
    if (known.has(id)) return;
    known.add(id);
    ajv.addSchema(closed(schema), id + "#");
  };
  const registry = require.resolve("@kubernetes-models/validate");
  require(registry);
  require.cache[registry].exports = { register };
  const named = (id) => "Io" + id.slice(3).split(".").map((part) => part[0].toUpperCase() + part.slice(1)).join("");

  return (object) => {
    const [group, version] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : ["core", object.apiVersion];
    const id = `io.k8s.api.${group.split(".")[0]}.${version}.${object.kind}`;
    try {
      require(`${modules}/node_modules/kubernetes-models/_schemas/${named(id)}.js`).addSchema();
    } catch (error) {
      if (error.code === "MODULE_NOT_FOUND") return [`${object.apiVersion} ${object.kind} is not known`];
      throw error;
    }
    const validate = ajv.getSchema(id + "#");
    if (validate(object)) return [];
    // A value that may be null or of a type gives an error for each of both.
    return validate.errors
      .filter((error) => error.keyword !== "oneOf" && !(error.keyword === "type" && error.params.type === "null"))
      .map((error) => `${error.instancePath || "/"} ${error.message}${error.params.additionalProperty ? ` (${error.params.additionalProperty})` : ""}`);
  };
}

// The schema, with no other properties than those that it lists.
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  const out = {};
  for (const [key, value] of Object.entries(schema)) {
    // Below "properties" the keys are names, which may be those of keywords.
    out[key] = key === "properties" ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, closed(inner)])) : closed(value);
  }
  if (out.properties && out.additionalProperties === undefined && !out.oneOf) out.additionalProperties = false;
  return out;
}
