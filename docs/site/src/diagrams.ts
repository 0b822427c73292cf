/** Draws the diagrams of a page in its colours, and again when the colours change. A page without diagrams loads nothing. */
import address from '@mermaid-js/tiny/dist/mermaid.tiny.js?url';

/** The part of the script that is used here. Pages load the script; it cannot be imported. */
interface Mermaid {
  initialize(options: {
    readonly startOnLoad: false;
    readonly theme: 'base';
    readonly themeVariables: Readonly<Record<string, string | boolean>>;
  }): void;
  render(id: string, source: string): Promise<{ readonly svg: string }>;
}

declare global {
  interface Window {
    mermaid?: Mermaid;
  }
}

const diagrams = [...document.querySelectorAll<HTMLElement>('pre.diagram')].map((element) => ({
  element,
  source: element.textContent ?? '',
}));

if (diagrams.length > 0) {
  const script = document.createElement('script');
  script.src = address;
  script.addEventListener('load', () => {
    void draw();
    new MutationObserver(() => void draw()).observe(document.documentElement, {
      attributeFilter: ['data-theme'],
    });
  });
  document.head.append(script);
}

async function draw(): Promise<void> {
  const { mermaid } = window;
  if (mermaid === undefined) return;
  mermaid.initialize({ startOnLoad: false, theme: 'base', themeVariables: readColours() });
  for (const [index, { element, source }] of diagrams.entries()) {
    const { svg } = await mermaid.render(`diagram-${index}`, source);
    element.innerHTML = svg;
  }
}

/** The colours of the page, by the names that diagrams use for them. */
function readColours(): Readonly<Record<string, string | boolean>> {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--sl-color-${name}`).trim();
  return {
    darkMode: document.documentElement.dataset.theme === 'dark',
    background: colour('bg'),
    primaryColor: colour('accent-low'),
    primaryBorderColor: colour('accent'),
    primaryTextColor: colour('white'),
    textColor: colour('white'),
    lineColor: colour('gray-3'),
    clusterBkg: colour('bg-nav'),
    clusterBorder: colour('gray-5'),
    titleColor: colour('white'),
    edgeLabelBackground: colour('bg-nav'),
  };
}
