package kubernetes

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

const dir = "../../docs/deploy/kubernetes"

// manifests are all documents, by kind and name.
type manifests struct {
	configs  map[string]*corev1.ConfigMap
	secrets  map[string]*corev1.Secret
	services map[string]*corev1.Service
	set      *appsv1.StatefulSet
	budget   *policyv1.PodDisruptionBudget
}

func read(t *testing.T) manifests {
	t.Helper()
	m := manifests{configs: map[string]*corev1.ConfigMap{}, secrets: map[string]*corev1.Secret{}, services: map[string]*corev1.Service{}}
	for _, file := range resources(t) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range bytes.Split(text, []byte("\n---\n")) {
			m.add(t, file, doc)
		}
	}
	return m
}

// resources are the files that the kustomization names; every other file is named too.
func resources(t *testing.T) []string {
	t.Helper()
	var k struct {
		Resources []string `json:"resources"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &k)
	}
	files, globErr := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || globErr != nil {
		t.Fatal(err, globErr)
	}
	if len(files) != len(k.Resources)+1 {
		t.Errorf("%d files, of which the kustomization names %d", len(files), len(k.Resources))
	}
	return k.Resources
}

func (m *manifests) add(t *testing.T, file string, doc []byte) {
	t.Helper()
	var what metav1.TypeMeta
	if err := yaml.Unmarshal(doc, &what); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	switch what.APIVersion + " " + what.Kind {
	case "v1 ConfigMap":
		o := strict[corev1.ConfigMap](t, file, doc)
		m.configs[o.Name] = o
	case "v1 Secret":
		o := strict[corev1.Secret](t, file, doc)
		m.secrets[o.Name] = o
	case "v1 Service":
		o := strict[corev1.Service](t, file, doc)
		m.services[o.Name] = o
	case "apps/v1 StatefulSet":
		m.set = strict[appsv1.StatefulSet](t, file, doc)
	case "policy/v1 PodDisruptionBudget":
		m.budget = strict[policyv1.PodDisruptionBudget](t, file, doc)
	default:
		t.Errorf("%s: unexpected %s %s", file, what.APIVersion, what.Kind)
	}
}

// strict reads a document; a field that the type has not is an error.
func strict[T any](t *testing.T, file string, doc []byte) *T {
	t.Helper()
	out := new(T)
	if err := yaml.UnmarshalStrict(doc, out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return out
}

func TestTheManifestsAreValidAndNameEachOther(t *testing.T) {
	m := read(t)
	pod := m.set.Spec.Template
	for what, selector := range map[string]map[string]string{
		"StatefulSet": m.set.Spec.Selector.MatchLabels, "PodDisruptionBudget": m.budget.Spec.Selector.MatchLabels,
		"Service": m.services["akidb"].Spec.Selector, "headless Service": m.services[m.set.Spec.ServiceName].Spec.Selector,
	} {
		if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) {
			t.Errorf("the %s selects %v, the pod has %v", what, selector, pod.Labels)
		}
	}
	c := pod.Spec.Containers[0]
	ports := map[string]int32{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	for _, s := range m.services {
		for _, p := range s.Spec.Ports {
			if ports[p.TargetPort.StrVal] == 0 {
				t.Errorf("service %s: no port %s", s.Name, p.TargetPort.StrVal)
			}
		}
	}
	for what, p := range map[string]*corev1.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		if p == nil || ports[p.HTTPGet.Port.StrVal] != 8080 || !slices.Contains([]string{"/healthz", "/readyz"}, p.HTTPGet.Path) {
			t.Errorf("%s probe: %+v", what, p)
		}
	}
	volumes := map[string]bool{m.set.Spec.VolumeClaimTemplates[0].Name: true}
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = true
		if v.ConfigMap != nil && m.configs[v.ConfigMap.Name] == nil {
			t.Errorf("no config map %s", v.ConfigMap.Name)
		}
	}
	for _, v := range c.VolumeMounts {
		if !volumes[v.Name] {
			t.Errorf("no volume %s", v.Name)
		}
	}
	for _, e := range c.Env {
		ref := e.ValueFrom.SecretKeyRef
		if _, ok := m.secrets[ref.Name].StringData[ref.Key]; !ok {
			t.Errorf("%s: no key %s in the secret %s", e.Name, ref.Key, ref.Name)
		}
	}
	if min := resource.MustParse("1Gi"); c.Resources.Limits.Memory().Cmp(min) < 0 {
		t.Errorf("a limit of %v", c.Resources.Limits.Memory())
	}
}

// The server gets the config map as a file and the secrets as variables, beside those of the image.
func TestTheServerTakesTheConfigurationOfTheManifests(t *testing.T) {
	bin := os.Getenv("AKIDB_BIN")
	if bin == "" {
		t.Skip("AKIDB_BIN is not set (make test-container sets it)")
	}
	m := read(t)
	c := m.set.Spec.Template.Spec.Containers[0]
	file := filepath.Join(t.TempDir(), "akidb.toml")
	name := filepath.Base(c.Args[slices.Index(c.Args, "--config")+1])
	if err := os.WriteFile(file, []byte(m.configs["akidb"].Data[name]), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "config", "check", "--config", file)
	cmd.Env = []string{"AKIDB_CONTAINER=true", "AKIDB_LISTEN=0.0.0.0:5432", "AKIDB_HTTP_LISTEN=0.0.0.0:8080", "AKIDB_DATA_DIR=/var/lib/akidb"}
	for _, e := range c.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+m.secrets[e.ValueFrom.SecretKeyRef.Name].StringData[e.ValueFrom.SecretKeyRef.Key])
	}
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Errorf("%v\n%s", err, out)
	}
}
