/**
 * Makes protobufjs use plain numbers for 64-bit fields. Generated modules read this setting while they load (default values)
 * and while they run, so this one must be imported before them.
 */
import protobuf from "protobufjs/minimal.js";

// `--force-number` changes the types alone: at run time a uint64 is a Long wherever the package `long` is installed.
protobuf.util.Long = null as never;
protobuf.configure();
