import type { ComponentChildren } from "preact";

interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  hint?: ComponentChildren;
  problem?: string | undefined;
  mode?: "text" | "decimal" | "numeric";
  rows?: number;
}

let numbered = 0;
const idOf = new Map<string, string>();

function fieldId(label: string): string {
  const known = idOf.get(label) ?? `field-${++numbered}`;
  idOf.set(label, known);
  return known;
}

/** A labelled input; what is wrong with its value is said beside it. */
export function Field({
  label,
  value,
  onChange,
  placeholder,
  hint,
  problem,
  mode = "text",
  rows,
}: FieldProps) {
  const id = fieldId(label);
  const about = problem || hint ? `${id}-about` : undefined;
  const shared = {
    id,
    value,
    placeholder,
    "aria-describedby": about,
    "aria-invalid": problem ? true : undefined,
    autocomplete: "off",
    spellcheck: rows !== undefined,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows ? (
        <textarea {...shared} rows={rows} onInput={(event) => onChange(event.currentTarget.value)} />
      ) : (
        <input
          {...shared}
          type="text"
          inputMode={mode}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
      {about && (
        <p id={about} class={problem ? "field-problem" : "field-hint"}>
          {problem ?? hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onChange: (value: string) => void;
}

export function Choice({ label, value, options, onChange }: ChoiceProps) {
  const id = fieldId(label);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option} selected={option === value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
