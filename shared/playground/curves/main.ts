import { find, make } from '../element.ts';
import type { Failure } from '../outcome.ts';
import { showLinks } from '../page-links.ts';
import { urlOf } from '../server.ts';
import { showFailure } from '../views/failure-view.ts';
import { createChartView } from './chart-view.ts';
import { CHARTS } from './charts.ts';
import { createHistory } from './history.ts';
import { createScraper } from './scraper.ts';

const charts = find('charts', HTMLElement);
const notice = find('notice', HTMLElement);
const state = find('state', HTMLElement);
const model = find('model', HTMLSelectElement);
const pause = find('pause', HTMLButtonElement);
const tokenForm = find('token-form', HTMLFormElement);
const token = find('token', HTMLInputElement);

const history = createHistory();
const views = CHARTS.map((chart) =>
  createChartView(chart, (atMs) => {
    for (const view of views) view.choose(atMs);
  }),
);
charts.append(...views.map(({ element }) => element));

const scraper = createScraper({
  read: (reading) => {
    history.add(reading, Date.now());
    tokenForm.hidden = true;
    showCharts();
  },
  miss: (failure) => notify(failure.title, showFailure(failure)),
  end: (failure) => {
    close();
    notify(failure.title, showFailure(failure));
  },
  askToken: (failure, isWrong) => {
    close();
    tokenForm.hidden = false;
    notify(isWrong ? failure.title : '', isWrong ? showFailure(wrongToken(failure)) : undefined);
    token.focus();
  },
});

pause.addEventListener('click', () => {
  const isPaused = pause.textContent === 'Pause';
  pause.textContent = isPaused ? 'Continue' : 'Pause';
  if (isPaused) scraper.stop();
  else scraper.start();
  describeState();
});
model.addEventListener('change', showCharts);
tokenForm.addEventListener('submit', (event) => {
  event.preventDefault();
  scraper.use(token.value.trim());
  token.value = '';
});

void showLinks('curves');
notify('', make('p', { class: 'empty' }, 'Reading the metrics …'));
pause.disabled = true;
scraper.start();

function showCharts(): void {
  const whole = history.pointsOf();
  offerVersions();
  const points = model.value === '' ? whole : history.pointsOf(model.value);
  views.forEach((view, index) => {
    const source = CHARTS[index]?.isOfServer ? whole : points;
    const moments = source.flatMap(({ atMs, values }) => {
      const own = values[index];
      return own ? [{ atMs, values: own }] : [];
    });
    view.show(moments, whole);
  });
  charts.hidden = false;
  pause.disabled = false;
  if (history.hasAnswered) notify('');
  else notify('empty', describeEmptiness());
  describeState();
}

/** The list of models grows while somebody may have it open, so it is changed only when there is something new. */
function offerVersions(): void {
  const offered = new Set([...model.options].map(({ value }) => value));
  for (const version of history.versions) {
    if (!offered.has(version)) model.append(make('option', { value: version }, version));
  }
}

function describeState(): void {
  const several =
    history.processes > 1
      ? ` ${history.processes} processes have answered; each point is of one of them.`
      : '';
  const last = history.pointsOf().at(-1);
  const latest = last ? ` Latest values: ${new Date(last.atMs).toLocaleTimeString()}.` : '';
  state.textContent = `${pause.textContent === 'Pause' ? 'Every two seconds.' : 'Paused.'}${latest}${several}`;
}

let noticed: string | undefined;

/** Shows a notice. One that is there already stays as it is, so that it is not read out again. */
function notify(key: string, content?: HTMLElement): void {
  if (key !== '' && key === noticed) return;
  noticed = key;
  notice.replaceChildren(...(content ? [content] : []));
}

function close(): void {
  charts.hidden = true;
  pause.disabled = true;
  state.textContent = '';
}

function wrongToken({ title, message, requestId }: Failure): Failure {
  return { title, message: `This token is not the one of the server. ${message}`, requestId };
}

function describeEmptiness(): HTMLElement {
  return make(
    'p',
    { class: 'empty' },
    'No model of this server has answered a request yet. Send the first one in the ',
    make('a', { href: urlOf('') }, 'playground'),
    '.',
  );
}
