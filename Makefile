# xen-ts: `make run` boots the website example on emulated Xen, `make test` runs all tests. Both do all set-up themselves.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
PORT ?= 8080

.PHONY: run test test-xens test-intel kernel setup typecheck bench clean

run: kernel
	node cli/bin.ts build examples/website -t qubes -o www.xen
	node cli/bin.ts run www.xen --port $(PORT)

test: kernel
	npm test

test-xens: kernel
	npm run test:xens

# The same images on an Intel CPU with VMX and EPT, which Bochs emulates. It is compiled the first time: some minutes.
test-intel: kernel
	npm run test:intel

kernel: setup
	@node boot/build.ts
	@node cli/native/compile.ts

setup: node_modules/.package-lock.json
	@sh boot/packages.sh

node_modules/.package-lock.json: package-lock.json package.json
	@echo "installing npm packages"
	npm ci --loglevel=error
	@touch $@

typecheck: setup
	npm run typecheck

bench: kernel
	npm run bench

clean:
	rm -rf boot/build .cache *.xen *.xen.map
