// Renders the templates of a chart as Helm does: by Go's text/template with the functions of sprig, and Helm's toYaml.
// Helm itself is in no Debian release. Not supported: subcharts, include, lookup, .Files, .Capabilities, hooks.
//
//	render OUT CHART [VALUES...]
//
// Writes OUT/NAME for each template that gives any text. A later file of values replaces what an earlier one says, key by key in maps, as with helm --values.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/ghodss/yaml"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, "render:", err)
	os.Exit(1)
}

// values reads a YAML file as a map.
func values(file string) map[string]interface{} {
	text, err := os.ReadFile(file)
	if err != nil {
		fail(err)
	}
	out := map[string]interface{}{}
	if err := yaml.Unmarshal(text, &out); err != nil {
		fail(fmt.Errorf("%s: %w", file, err))
	}
	return out
}

func merge(into, from map[string]interface{}) {
	for key, value := range from {
		inner, isMap := value.(map[string]interface{})
		old, wasMap := into[key].(map[string]interface{})
		if isMap && wasMap {
			merge(old, inner)
		} else {
			into[key] = value
		}
	}
}

func toYaml(value interface{}) (string, error) {
	text, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(text), "\n"), err
}

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: render OUT CHART [VALUES...]"))
	}
	out, chart := os.Args[1], os.Args[2]
	all := values(filepath.Join(chart, "values.yaml"))
	for _, file := range os.Args[3:] {
		merge(all, values(file))
	}
	files, err := filepath.Glob(filepath.Join(chart, "templates", "*.yaml"))
	if err != nil || len(files) == 0 {
		fail(fmt.Errorf("%s has no templates", chart))
	}
	functions := sprig.TxtFuncMap()
	functions["toYaml"] = toYaml
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			fail(err)
		}
		parsed, err := template.New(filepath.Base(file)).Option("missingkey=error").Funcs(functions).Parse(string(text))
		if err != nil {
			fail(err)
		}
		var result bytes.Buffer
		if err := parsed.Execute(&result, map[string]interface{}{"Values": all}); err != nil {
			fail(err)
		}
		content := strings.TrimSpace(result.String())
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(out, filepath.Base(file)), []byte(content+"\n"), 0644); err != nil {
			fail(err)
		}
	}
}
