# What one does here. `make` alone lists it.

# Tools that scripts/install-tools.sh fetched are found first.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)
FLATFOOT := $(TARGET)/release/flatfoot

.DEFAULT_GOAL := help
.PHONY: help run release test check lint deny bench static fuzz install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: release ## build, then the main job: a demonstration, and a look at this host
	$(FLATFOOT) demo
	@$(FLATFOOT) diagnose; code=$$?; case $$code in \
		0) ;; \
		1) echo "(exit code 1: something on this host leaks, likely or surely; flatfoot itself is well)" ;; \
		3) echo "(exit code 3: something is possible and wants more time; flatfoot itself is well)" ;; \
		*) exit $$code ;; \
	esac

release: ## the release binary alone
	cargo build --release --locked -p flatfoot

test: ## install what the tests need (as root), build the leaking programs, run every test
	scripts/install-tools.sh cargo-nextest
	scripts/install-test-deps.sh
	tests/leakers/build.sh >/dev/null
	cargo nextest run --locked --workspace
	tests/browser/run.sh

check: lint deny ## what needs no test programs: format, lints, documentation, dependencies

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --locked --workspace --no-deps --document-private-items --quiet

deny:
	scripts/install-tools.sh cargo-deny
	scripts/deny.sh

bench: ## measure against pmap, ps, smem and the kernel's own floor; ratios of one run
	scripts/install-test-deps.sh
	tests/leakers/build.sh >/dev/null
	cargo run --release --locked -p xtask -- bench

static: ## a binary without libraries, for a locked-down box, tested in an empty chroot
	scripts/build-static.sh
	scripts/test-static.sh target/static/flatfoot

fuzz: ## feed the parsers garbage for a minute (FUZZ_SECONDS=3600 for an hour)
	scripts/install-tools.sh cargo-fuzz
	scripts/fuzz.sh

install: ## cargo install, into ~/.cargo/bin
	cargo install --locked --path crates/flatfoot

clean: ## remove what was built
	cargo clean
	rm -rf fuzz/target fuzz/corpus fuzz/artifacts
