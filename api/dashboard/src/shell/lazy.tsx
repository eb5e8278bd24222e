import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure, Loading } from "../components/states";
import { Problem } from "../live/problem";

/** A component whose code is loaded when it is first shown: what only wallets need stays away from everybody else. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [Found, setFound] = useState<ComponentType<P> | undefined>(() => loaded);
    const [problem, setProblem] = useState<Problem | undefined>(undefined);
    useEffect(() => {
      if (Found) return;
      load().then(
        (component) => {
          loaded = component;
          setFound(() => component);
        },
        () =>
          setProblem(
            new Problem(
              "A part of this page could not be loaded",
              "The server may have a new release: load the page again.",
            ),
          ),
      );
    }, []);
    if (problem) return <Failure problem={problem} />;
    return Found ? <Found {...props} /> : <Loading />;
  };
}
