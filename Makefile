# The two commands of the README are `make demo` and `make test`; everything
# else here is a step of theirs that can be run alone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# -buildvcs=auto stamps the commit, so that `version` can say it.
GO_BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=auto -ldflags '-s -w'
SANDBOX  := go -C test/sandbox run .
# The machine's own AWS settings must never reach a test or the sandbox.
CLEAN_ENV := env -u AWS_PROFILE -u AWS_REGION -u AWS_DEFAULT_REGION -u AWS_CA_BUNDLE -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN -u KUBECONFIG AWS_EC2_METADATA_DISABLED=true

say = @printf '\n== %s\n' "$(1)" >&2

.PHONY: build
build: agents ## bin/kubectl-eksnodes, which carries the agents, and bin/node-agent
	$(GO_BUILD) -o bin/ ./cmd/...

AGENTS := pkg/agent/binaries
# Packed only when they have changed: the same bytes give the same hash.
.PHONY: agents
agents: ## node-agent for nodes of both architectures, into the plugin
	@mkdir -p bin/agents
	for arch in amd64 arm64; do GOOS=linux GOARCH=$$arch $(GO_BUILD) -o bin/agents/node-agent-linux-$$arch ./cmd/node-agent; done
	cd bin/agents && sha256sum node-agent-linux-amd64 node-agent-linux-arm64 >SHA256SUMS
	@cmp -s bin/agents/SHA256SUMS $(AGENTS)/SHA256SUMS || { \
	  for arch in amd64 arm64; do gzip -9nc bin/agents/node-agent-linux-$$arch >$(AGENTS)/node-agent-linux-$$arch.gz; done; \
	  cp bin/agents/SHA256SUMS $(AGENTS)/SHA256SUMS; }

# The name is the one that the manifest has: what is built is what it runs.
.PHONY: agent-image
agent-image: agents ## node-agent's container image, for this machine's architecture, as an archive
	go -C test/image run . -binary $(CURDIR)/bin/agents/node-agent-linux-$$(go env GOARCH) \
	  -name "$$(sed -n 's/^ *image: //p' deploy/node-agent.yaml)" -output $(CURDIR)/bin/node-agent-image.tar

# Of a release: TAG is the one that is released. Needs docker login at the registry.
.PHONY: push-agent-image
push-agent-image: agents ## node-agent's image for both architectures, to its registry as TAG; prints name@digest
	@go -C test/image run . -push -binary $(CURDIR)/bin/agents/node-agent-linux-amd64 -binary $(CURDIR)/bin/agents/node-agent-linux-arm64 \
	  -name "$$(sed -n 's/^ *image: \(.*\):.*/\1/p' deploy/node-agent.yaml):$(TAG)"

.PHONY: test
test: deps lint unit control-plane-tier node-tier fault-tier life-tier road-tier agent-tier daemonset-tier tutorial-tier ## everything, in this order

.PHONY: deps
deps:
	@test/tools/install-debian

.PHONY: lint
lint: deps ## gofmt, golangci-lint, cfn-lint
	$(call say,lint)
	test/tools/run golangci-lint run ./...
	cd test/sandbox && ../tools/run golangci-lint run --config ../../.golangci.yml --build-tags sandbox ./...
	for module in oracle browser release image; do (cd test/$$module && ../tools/run golangci-lint run --config ../../.golangci.yml ./...); done
	test/tools/run cfn-lint --non-zero-exit-code informational pkg/stack/testdata/*.yaml pkg/stack/testdata/foreign/*.yaml

.PHONY: unit
unit: deps ## tests that need no sandbox, no root and no network
	$(call say,unit tests)
	$(CLEAN_ENV) go test -race -timeout 20m -skip AtScale ./...
	$(call say,calls and output at thousands of machines, which the race detector makes many times slower)
	$(CLEAN_ENV) go test -timeout 10m -run AtScale ./pkg/cli
	$(call say,aws-auth against the authenticator and user data against nodeadm)
	$(CLEAN_ENV) go -C test/oracle test -timeout 20m ./...
	$(call say,the HTML report in a browser)
	$(CLEAN_ENV) go -C test/browser test -timeout 10m ./...
	$(call say,the image of node-agent)
	$(CLEAN_ENV) go -C test/image test -timeout 5m ./...
	$(call say,the repairs to moto)
	$(CLEAN_ENV) $(SANDBOX) test-moto

.PHONY: control-plane-tier
control-plane-tier: build ## real API server and authenticator, no nodes
	$(call say,what sandboxes are made of)
	$(CLEAN_ENV) $(SANDBOX) build
	$(call say,the sandbox's parts in real namespaces)
	$(CLEAN_ENV) go -C test/sandbox test -tags sandbox -count=1 -timeout 20m -p 1 ./internal/...
	$(call say,control-plane tier)
	$(CLEAN_ENV) go -C test/sandbox test -count=1 -timeout 20m ./e2e/controlplane/...

.PHONY: node-tier
node-tier: build ## real nodes
	$(call say,node tier)
	$(CLEAN_ENV) go -C test/sandbox test -count=1 -timeout 40m ./e2e/nodes/...

.PHONY: fault-tier
fault-tier: build ## real things broken, and the doctor asked for the cause; docs/faults.md must stay true
	$(call say,faults)
	$(CLEAN_ENV) go -C test/sandbox test -count=1 -timeout 40m -parallel 4 ./e2e/faults/...

.PHONY: faults
faults: build ## break real things, and write docs/faults.md: what the doctor names
	$(call say,faults)
	$(CLEAN_ENV) EKSNODES_FAULTS_TABLE=$(CURDIR)/docs/faults.md go -C test/sandbox test -count=1 -timeout 40m -parallel 4 ./e2e/faults/...

.PHONY: life-tier
life-tier: build ## access, scaling, deletion, the end of a cluster on real nodes
	$(call say,life of a group)
	$(CLEAN_ENV) go -C test/sandbox test -count=1 -timeout 30m -p 1 ./e2e/life/... ./e2e/cleanup/...

.PHONY: road-tier
road-tier: build ## machines' own reports, by every road
	$(call say,roads)
	$(CLEAN_ENV) go -C test/sandbox test -count=1 -timeout 40m ./e2e/roads/...

.PHONY: agent-tier
agent-tier: build ## node-agent on real nodes
	$(call say,node-agent)
	$(CLEAN_ENV) go -C test/sandbox test -count=1 -timeout 20m ./e2e/agent/...

.PHONY: daemonset-tier
daemonset-tier: build agent-image ## node-agent in pods, and what the cluster sees of it
	$(call say,DaemonSet)
	$(CLEAN_ENV) go -C test/sandbox test -count=1 -timeout 20m ./e2e/daemonset/...

.PHONY: demo
demo: build ## a cluster without AWS, and a node group added to it
	@$(CLEAN_ENV) test/demo

.PHONY: sandbox
sandbox: ## make sandbox ARGS='up', ARGS='exec -- kubectl get nodes', ARGS='down'
	@$(CLEAN_ENV) EKSNODES_SANDBOX_PATH=$(CURDIR)/bin $(SANDBOX) $(ARGS)

.PHONY: release-check
release-check: ## make a release of HEAD without publishing it, twice, and install it through Krew
	$(call say,release)
	$(CLEAN_ENV) test/release/check

.PHONY: lint-workflows
lint-workflows: ## actionlint
	test/tools/run actionlint

.PHONY: tutorial-tier
tutorial-tier: build ## every command of docs/tutorial.md, on a sandbox
	$(call say,tutorial)
	$(CLEAN_ENV) go -C test/sandbox test -count=1 -timeout 20m ./e2e/tutorial/...

.PHONY: images
images: build ## docs/images from a session on a sandbox
	$(CLEAN_ENV) docs/images/record

# Only packages with generated files know -update.
.PHONY: generate
generate: ## golden files, docs/reference, docs/checks.md and the like
	go test $$(grep -rl 'flag.Bool("update"' --include='*_test.go' pkg | xargs -n1 dirname | sort -u | sed 's,^,./,') -update

.PHONY: help
help:
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "%-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
