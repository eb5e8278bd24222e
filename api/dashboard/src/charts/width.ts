import { useEffect, useRef, useState } from "preact/hooks";

const FIRST_GUESS = 480;

/** The width that an element has, in pixels, and the reference that it is to be given. */
export function useWidth<E extends HTMLElement>() {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(FIRST_GUESS);
  useEffect(() => {
    const watched = element.current;
    if (!watched) return undefined;
    const observer = new ResizeObserver(() => setWidth(Math.max(160, watched.clientWidth)));
    observer.observe(watched);
    return () => observer.disconnect();
  }, []);
  return [width, element] as const;
}
