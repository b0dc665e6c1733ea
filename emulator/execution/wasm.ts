/**
 * WebAssembly modules as bytes: values (expression trees), functions, modules. Knows nothing of x86.
 * Structure and opcodes: WebAssembly core specification 2.0, chapter 5 (binary format).
 */
export * from './wasm-bytes';
export * from './wasm-value';
export * from './wasm-function';
export * from './wasm-module';
