# What there is to do with this repository. Every target does nothing the second time and runs on a fresh Debian as root.

.DEFAULT_GOAL := help
.PHONY: help book test engine stand-ins tools clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

book: ## Build the guide, running what is new or edited, and say where it is
	@scripts/book.sh

test: engine stand-ins tools ## Run the whole gate: format, lints, documentation, tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps
	cargo test --locked

engine: ## Make sure that a Docker engine answers
	@scripts/engine.sh

stand-ins: engine ## Make the base image and the images that exercises pull
	@scripts/base-image.sh
	@scripts/stand-ins.sh target/stand-ins

tools: ## Install what the tests need: mdBook into target/tools, Chromium from Debian
	@scripts/tools.sh

clean: ## Remove what was built; what the engine keeps goes with `mdbook-rehearse clean --all`
	cargo clean
	rm -rf book/book
