// SPDX-License-Identifier: Apache-2.0

// Package main answers what Argo CD and Flux make of objects, by their own code: it applies and compares as Argo CD
// does, runs a health check in the interpreter that Argo CD uses, and asks Flux's kstatus.
//
// One question a line on standard input, one answer a line on standard output, both JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/cache"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/go-logr/logr"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// Argo CD's name as the owner of fields.
const manager = "argocd-controller"

// What is asked.
type question struct {
	// apply, compare, managed, health or kstatus.
	Ask string `json:"ask"`
	// How to apply: client or server. How to compare: client (three ways, by the last applied), merge (by owners of
	// fields), server (a dry run) or webhooks (a dry run that shows what webhooks add).
	How string `json:"how"`
	// As it is in git.
	Object unstructured.Unstructured `json:"object"`
	// As it is in the cluster.
	Live unstructured.Unstructured `json:"live"`
	// The text of a health check.
	Script string `json:"script"`
	// Objects that carry this label or annotation with this value are taken for an application's.
	Key   string `json:"key"`
	Value string `json:"value"`
	// Only of this namespace.
	Namespace string `json:"namespace"`
}

// What is answered.
type answer struct {
	Error   string   `json:"error,omitempty"`
	Said    string   `json:"said,omitempty"`
	Status  string   `json:"status,omitempty"`
	Message string   `json:"message,omitempty"`
	Differs bool     `json:"differs"`
	Wanted  string   `json:"wanted,omitempty"`
	Found   string   `json:"found,omitempty"`
	Objects []string `json:"objects,omitempty"`
}

// What speaks to the cluster; nil where no kubeconfig was given.
type cluster struct {
	config  *rest.Config
	kubectl *kube.KubectlCmd
	parser  *managedfields.GvkParser
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "of the cluster; without it only health and kstatus are answered")
	flag.Parse()
	// What is wrong is in an answer.
	klog.SetLogger(logr.Discard())
	if err := run(*kubeconfig); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(kubeconfig string) error {
	var there *cluster
	if kubeconfig != "" {
		var err error
		if there, err = connected(kubeconfig); err != nil {
			return err
		}
	}
	lines := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	questions := json.NewDecoder(lines)
	for questions.More() {
		var asked question
		if err := questions.Decode(&asked); err != nil {
			return err
		}
		told, err := answered(there, &asked)
		if err != nil {
			told = answer{Error: err.Error()}
		}
		if err := answers.Encode(told); err != nil {
			return err
		}
	}
	return nil
}

func connected(kubeconfig string) (*cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 100, 200
	kubectl := &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	_, parser, err := kubectl.LoadOpenAPISchema(config)
	if err != nil {
		return nil, err
	}
	return &cluster{config, kubectl, parser}, nil
}

func answered(there *cluster, asked *question) (answer, error) {
	switch asked.Ask {
	case "health":
		return health(asked.Script, asked.Live.Object)
	case "kstatus":
		result, err := status.Compute(&asked.Live)
		if err != nil {
			return answer{}, err
		}
		return answer{Status: result.Status.String(), Message: result.Message}, nil
	}
	if there == nil {
		return answer{}, errors.New("this needs a cluster")
	}
	switch asked.Ask {
	case "apply":
		return there.apply(&asked.Object, asked.How == "server")
	case "compare":
		return there.compare(&asked.Object, &asked.Live, asked.How)
	case "managed":
		return there.managed(asked)
	}
	return answer{}, fmt.Errorf("what is %q?", asked.Ask)
}

func (c *cluster) apply(object *unstructured.Unstructured, serverSide bool) (answer, error) {
	operations, done, err := c.kubectl.ManageResources(c.config)
	if err != nil {
		return answer{}, err
	}
	defer done()
	said, err := operations.ApplyResource(
		context.Background(), object, cmdutil.DryRunNone, false, true, serverSide, manager)
	return answer{Said: said}, err
}

func (c *cluster) compare(wanted, live *unstructured.Unstructured, how string) (answer, error) {
	options := []diff.Option{
		diff.WithLogr(logr.Discard()), diff.WithManager(manager), diff.WithGVKParser(c.parser),
	}
	switch how {
	case "client":
	case "merge":
		options = append(options, diff.WithStructuredMergeDiff(true))
	case "server", "webhooks":
		applier, done, err := c.kubectl.ManageServerSideDiffDryRuns(c.config)
		if err != nil {
			return answer{}, err
		}
		defer done()
		options = append(options,
			diff.WithServerSideDiff(true),
			diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(applier)),
			diff.WithIgnoreMutationWebhook(how == "server"))
	default:
		return answer{}, fmt.Errorf("how does %q compare?", how)
	}
	result, err := diff.Diff(wanted, live, options...)
	if err != nil {
		return answer{}, err
	}
	told := answer{Differs: result.Modified}
	if result.Modified {
		told.Wanted, told.Found = string(result.PredictedLive), string(result.NormalizedLive)
	}
	return told, nil
}

// What Argo CD takes for objects of an application, and deletes when they are not in git.
func (c *cluster) managed(asked *question) (answer, error) {
	seen := cache.NewClusterCache(c.config,
		cache.SetNamespaces([]string{asked.Namespace}),
		cache.SetKubectl(c.kubectl),
		cache.SetLogr(logr.Discard()),
		cache.SetPopulateResourceInfoHandler(func(*unstructured.Unstructured, bool) (any, bool) { return nil, true }))
	if err := seen.EnsureSynced(); err != nil {
		return answer{}, err
	}
	isManaged := func(r *cache.Resource) bool {
		if r.Resource == nil {
			return false
		}
		labelled, annotated := r.Resource.GetLabels()[asked.Key], r.Resource.GetAnnotations()[asked.Key]
		return labelled == asked.Value || annotated == asked.Value
	}
	live, err := seen.GetManagedLiveObjs(nil, isManaged)
	if err != nil {
		return answer{}, err
	}
	told := answer{}
	for key := range live {
		told.Objects = append(told.Objects, key.Kind+"/"+key.Name)
	}
	seen.Invalidate()
	return told, nil
}

// Argo CD gives a health check the object as obj, and no library but these.
func health(script string, object map[string]any) (answer, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		call := lua.P{Fn: state.NewFunction(open), Protect: true}
		if err := state.CallByParam(call, lua.LString(name)); err != nil {
			return answer{}, err
		}
	}
	state.SetGlobal("obj", inLua(state, object))
	if err := state.DoString(script); err != nil {
		return answer{}, err
	}
	table, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return answer{}, errors.New("the health check returns no table")
	}
	return answer{
		Status:  lua.LVAsString(table.RawGetString("status")),
		Message: lua.LVAsString(table.RawGetString("message")),
	}, nil
}

// A value of JSON as Lua has it; null is nil, as Argo CD has it too.
func inLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.CreateTable(len(value), 0)
		for _, item := range value {
			table.Append(inLua(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for name, item := range value {
			table.RawSetString(name, inLua(state, item))
		}
		return table
	}
	return lua.LNil
}
