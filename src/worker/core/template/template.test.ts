import { expect, test } from "vitest";
import { expandContainerSpec, expandTemplate, TemplateError } from "./template.js";

const CONTEXT = {
  Service: { ID: "s1", Name: "web", Labels: { tier: "front", "a.b": "dotted" } },
  Node: { ID: "n1", Hostname: "w1", Platform: { OS: "linux", Architecture: "x86_64" } },
  Task: { ID: "t1", Name: "web.3.t1", Slot: "3" },
};

test.each([
  ["plain text stays", "A=1", "A=1"],
  ["a field", "N={{.Service.Name}}", "N=web"],
  ["several, with blanks", "{{ .Node.Hostname }}-{{.Task.Slot}}", "w1-3"],
  ["a nested field", "{{.Node.Platform.Architecture}}", "x86_64"],
  ["a label by name", "{{.Service.Labels.tier}}", "front"],
  ["a label that is not there", "[{{.Service.Labels.none}}]", "[]"],
  ["a label by index", '{{index .Service.Labels "a.b"}}', "dotted"],
  ["trim marks", "a {{- .Task.Slot -}} b", "a3b"],
  ["a text", '{{"{{"}}x', "{{x"],
])("%s", (_name, text, want) => {
  expect(expandTemplate(text, CONTEXT)).toBe(want);
});

test.each([
  ["a field that does not exist", "{{.Task.Color}}"],
  ["a whole object", "{{.Service}}"],
  ["a pipeline", "{{.Task.Slot | printf}}"],
  ["a missing end", "{{.Task.Slot"],
  ["something inherited", "{{.Task.constructor}}"],
])("refuses %s", (_name, text) => {
  expect(() => expandTemplate(text, CONTEXT)).toThrow(TemplateError);
});

test("a container spec is expanded in env, hostname and mounts, and only there", () => {
  const spec = expandContainerSpec(
    {
      Image: "x",
      Args: ["{{.Task.Slot}}"],
      Env: ["SLOT={{.Task.Slot}}"],
      Hostname: "{{.Service.Name}}-{{.Task.Slot}}",
      Mounts: [
        {
          Type: "volume",
          Source: "data-{{.Task.Slot}}",
          Target: "/d/{{.Task.Slot}}",
          VolumeOptions: { Labels: { of: "{{.Task.ID}}" } },
        },
      ],
    },
    CONTEXT,
  );
  expect(spec).toEqual({
    Image: "x",
    Args: ["{{.Task.Slot}}"],
    Env: ["SLOT=3"],
    Hostname: "web-3",
    Mounts: [
      {
        Type: "volume",
        Source: "data-3",
        Target: "/d/3",
        VolumeOptions: { Labels: { of: "t1" } },
      },
    ],
  });
});
