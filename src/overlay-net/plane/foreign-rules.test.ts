import { expect, test } from "vitest";
import { ruleHandles } from "./foreign-rules.js";

test("only rules with our comment are ours to take back", () => {
  const listing = `table ip filter { # handle 1
	chain DOCKER-USER { # handle 7
		iifname "swin1" accept comment "swarm:node1" # handle 12
		oifname "swin1" accept comment "swarm:node1" # handle 13
		iifname "swin2" accept comment "swarm:node10" # handle 14
		ip saddr 10.0.0.1 drop # handle 15
	}
}
`;
  expect(ruleHandles(listing, "swarm:node1")).toEqual(["12", "13"]);
});
