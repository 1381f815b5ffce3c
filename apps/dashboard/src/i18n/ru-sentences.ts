/**
 * Sentences that golem's processes write into runs, starts, alarms and outcomes, with their Russian. `{name}` is any text and
 * stays as it is; `{*name}` is itself such a sentence, or several. The first that fits counts. `sentences.test.ts` holds the English
 * against what the processes' sources say.
 */
export const RU_SENTENCES: readonly (readonly [en: string, ru: string])[] = [
  // The site's log.
  ['run {id}: not done: {*why}', 'запуск {id}: не сделано. {*why}'],
  ['run {id} of {name} begins', 'запуск {id} ({name}) начинается'],
  ['run {id} was not begun: {*why}', 'запуск {id} не начат: {*why}'],
  ['run {id}: {*what}', 'запуск {id}: {*what}'],
  ['completed: {*what}', 'выполнен. {*what}'],
  ['stopped: {*what}', 'остановлен. {*what}'],
  ['aborted: {*what}', 'прерван. {*what}'],
  ['failed: {*what}', 'не удался. {*what}'],
  ['{by} skipped {what}.', 'Пропущено: {what} ({by}).'],
  ['{by} changed {name} from {change}.', 'Изменено: {name}, {change} ({by}).'],
  ['schedule {id} was switched on', 'расписание {id} включено'],
  ['schedule {id} was switched off', 'расписание {id} выключено'],
  ['schedule {id}: the start of {at} was skipped: {*why}', 'расписание {id}: старт {at} пропущен. {*why}'],
  ['{id} is over, and waits for somebody to acknowledge it', '{id}: прошла, ждёт подтверждения'],
  ['{id} is over', '{id}: прошла'],
  ['{id} acknowledged by {by}', '{id}: подтверждено ({by})'],
  ['{id} active, {*severity}: {*what}', '{id}: тревога ({*severity}). {*what}'],
  ['warning', 'внимание'],
  ['critical', 'опасность'],
  ['info', 'сведение'],

  // Runs: how they stand, and what people asked of them.
  ['It has not begun.', 'Запуск ещё не начался.'],
  ['The scheduler has not begun it yet.', 'Планировщик ещё не начал запуск.'],
  ['It has ended.', 'Запуск завершён.'],
  ['It had not begun.', 'Запуск ещё не начинался.'],
  ['It computes.', 'Программа считает.'],
  ['Nothing.', 'Ничего.'],
  ['Outputs are being brought to their safe state.', 'Выходы переводятся в безопасное состояние.'],
  ['All its steps were done.', 'Все шаги выполнены.'],
  ['Stage {n} of {count}: {name}.', 'Этап {n} из {count}: {name}.'],
  ['Paused by {by}.', 'Пауза: {by}.'],
  ['Stopped by {by}.', 'Остановлен по порядку: {by}.'],
  ['Aborted by {by}.', 'Прерван: {by}.'],
  ['Killed by {by}; its outputs are as they were.', 'Снят: {by}; выходы остались как были.'],
  [
    'Reset by {by}: resume it to begin with the first step.',
    'Возвращён к началу: {by}. Продолжите его, и он начнёт с первого шага.',
  ],
  [
    '{*why} Release the stop, then resume, stop or abort the run.',
    '{*why} Снимите остановку, затем продолжите, остановите или прервите запуск.',
  ],
  ['emergency stop by {by} ({reason})', 'аварийная остановка: {by} ({reason}).'],
  ['{*why} The run goes on, as the recipe says.', '{*why} Запуск продолжается, как велит рецепт.'],
  [
    '{*why} It is not certain that all outputs are safe: {*more}.',
    '{*why} Не точно, что все выходы в безопасном состоянии: {*more}.',
  ],
  ['there was no answer', 'ответа не было'],
  ['Interrupted for {gap} ({*cause}); {*then}.', 'Запуск прерывался на {gap} ({*cause}): {*then}.'],
  [
    'Interrupted for {gap} ({*cause}). Resume, stop or abort it?',
    'Запуск прерывался на {gap} ({*cause}). Продолжить, остановить или прервать?',
  ],
  ['the scheduler that stepped it was gone', 'планировщика, который его вёл, не стало'],
  ['Redis was started anew and has lost a command', 'Redis перезапущен и потерял команду'],
  ['the step it was at wants it held then', 'по рецепту на этом шаге тогда ставится пауза'],
  ['the step it was at wants it aborted then', 'по рецепту на этом шаге запуск тогда прерывается'],
  ['it goes on', 'продолжается'],
  ['it is paused', 'на паузе'],
  ['it asks how to go on', 'спрашивает, как продолжать'],
  ['it is aborted', 'прерывается'],
  ['it stays as it was', 'остаётся как был'],
  [
    '{*why} Its program ended with the scheduler and can not be resumed: stop does what it wants done at the end, abort makes everything safe, reset begins it anew.',
    '{*why} Его программа закончилась вместе с планировщиком, продолжить её нельзя: «остановить» сделает то, что она хочет в конце, «прервать» переведёт всё в безопасное состояние, «сначала» начнёт заново.',
  ],
  [
    'Redis has lost what it was to do: its outputs are as they were.',
    'Redis потерял, что запуск должен был делать: выходы остались как были.',
  ],
  ['No scheduler was there in time: it was not begun.', 'Планировщика вовремя не было: запуск не начат.'],
  ['It was not over within {time}.', 'Шаг не закончился за {time}.'],
  ['It does not hold {names} any more.', 'Запуск больше не занимает: {names}.'],
  ['No new good reading of {names} for {s} s.', 'Нет новых хороших показаний {names} уже {s} с.'],
  [
    'No good reading of {name} for {s} s: {output} goes to {value}.',
    'Нет хороших показаний {name} уже {s} с: {output} переводится в {value}.',
  ],
  ['There are good readings of {name} again.', 'Показания {name} снова хорошие.'],
  ['{*why} Write {n} in a row that was not done.', '{*why} Это {n}-я запись подряд, которая не выполнена.'],
  ['{*why} That for too long.', '{*why} Слишком долго.'],

  // Requests that a run does not take.
  [
    'The run has not begun: it can be stopped, not more.',
    'Запуск ещё не начался: его можно только остановить.',
  ],
  ['The run is being aborted: it can be killed, not more.', 'Запуск прерывается: его можно только снять.'],
  ['The run is not paused.', 'Запуск не на паузе.'],
  ['The run is paused already.', 'Запуск уже на паузе.'],
  ['The run is paused: resume it first.', 'Запуск на паузе: сначала продолжите его.'],
  [
    'The run is doing what its recipe wants done at the end: it can be aborted or killed, not more.',
    'Запуск делает то, что рецепт требует в конце: его можно только прервать или снять.',
  ],
  [
    'The run is at no step that waits: there is nothing to skip.',
    'Запуск сейчас ничего не ждёт: пропускать нечего.',
  ],
  [
    'The run has gone on since it was looked at: nothing was skipped.',
    'Запуск тем временем ушёл дальше: ничего не пропущено.',
  ],

  // What a step does.
  ['{*first}; {*second}', '{*first}; {*second}'],
  ['{*what} (waits: {*why})', '{*what} (ждёт: {*why})'],
  ['set {what}', 'задаёт {what}'],
  ['do {what}', 'выполняет {what}'],
  ['wait for the next mark of every {time}', 'ждёт следующей отметки, каждые {time}'],
  ['wait until {*condition}', 'ждёт, пока {*condition}'],
  ['wait {time}', 'ждёт {time}'],
  ['between round {n} and {m}', 'между проходами {n} и {m}'],
  ['for each {name}', 'для каждого {name}'],
  ['ramp {output} to {value}', 'плавно ведёт {output} к {value}'],
  ['measure {names}', 'измеряет {names}'],
  ['see whether {*condition}', 'смотрит, верно ли: {*condition}'],
  ['keep {reading} by {output}', 'держит {reading} с помощью {output}'],
  ['in parallel', 'одновременно'],
  ['repeat', 'повторяет'],
  ['note', 'записывает'],
  ['call {recipe}', 'вызывает {recipe}'],
  ['{*first} and {*second} for {time}', '{*first} и {*second} в течение {time}'],

  // Outcomes of commands.
  ['{instrument}: {what} was refused: {*why}', '{instrument}: {what}: отклонено. {*why}'],
  ['{instrument}: {what} failed: {*why}', '{instrument}: {what}: не удалось. {*why}'],
  [
    '{instrument}: {what} has an unknown outcome and is not sent again: {*why}',
    '{instrument}: {what}: исход неизвестен, повторно не отправляется. {*why}',
  ],
  ['Refused: the emergency stop is in force.', 'Отклонено: действует аварийная остановка.'],
  [
    'It waited past its valid-until; nothing was sent.',
    'Команда ждала дольше своего срока; ничего не отправлено.',
  ],
  ['The interlock "{name}" does not allow it: {*why}', 'Не позволяет блокировка «{name}»: {*why}'],
  [
    '{instrument} is stopped (by {by}: {reason}). Release the emergency stop first.',
    '{instrument}: аварийная остановка ({by}: {reason}). Сначала снимите её.',
  ],
  [
    '{n} commands wait for {instrument} already; no more than {most} may. Try again when they are done.',
    '{instrument} уже ждут {n} команд, больше {most} нельзя. Повторите, когда они выполнятся.',
  ],
  [
    'Redis answered too late. Nothing was sent; try again.',
    'Redis ответил слишком поздно. Ничего не отправлено, повторите.',
  ],
  [
    '{instrument} is reserved by {by} until {until}. Wait in line for it, ask {whom}, or have an admin release it.',
    '{instrument}: занят до {until}, занял(а) {by}. Встаньте в очередь, спросите {whom} или попросите администратора освободить прибор.',
  ],
  ['{name} is not known: {*why}', '{name}: неизвестно, {*why}'],
  ['Redis is away', 'нет связи с Redis'],
  ['nothing has been heard of it', 'о нём ничего не слышно'],
  ['it has never been read', 'ни разу не прочитано'],
  ['it was read {s} s ago', 'прочитано {s} с назад'],
  ['{*why}, but not for {s} s yet', '{*why}, но ещё не {s} с'],

  // When schedules start.
  ['every {time} from {*from}', 'каждые {time} от {*from}'],
  ['the top of the hour', 'начала часа'],
  ['midnight UTC', 'полуночи UTC'],
  ['{later} after {*from}', '{*from} плюс {later}'],
  ['daily at {times} ({zone})', 'ежедневно в {times} ({zone})'],
  ['once at {times}', 'один раз: {times}'],

  // Starts that did not come about, and schedules that wait.
  ['No scheduler was there at its time.', 'В это время не было планировщика.'],
  ['The scheduler could not look in time.', 'Планировщик не успел вовремя.'],
  ['Its run {run} was still going on.', 'Ещё шёл запуск {run}.'],
  ['The start of {at} stands for it.', 'Вместо него считается старт {at}.'],
  ['More than {n} were missed.', 'Пропущено больше {n}.'],
  ['The schedule was changed.', 'Расписание изменено.'],
  ['It was switched off.', 'Расписание выключили.'],
  ['It is switched off.', 'Расписание выключено.'],
  ['None is to come any more.', 'Стартов больше не будет.'],
  ['The emergency stop was in force.', 'Действовала аварийная остановка.'],
  ['The emergency stop of {name} was in force.', 'Действовала аварийная остановка прибора {name}.'],
  ['Nothing is known of its run any more.', 'О его запуске больше ничего не известно.'],
  [
    'The clock was set back: what was planned up to {at} is not started again.',
    'Часы переведены назад: намеченное до {at} повторно не запускается.',
  ],
  ['The clock shows {at}: it was never set.', 'Часы показывают {at}: их не устанавливали.'],
  ['It is not known yet whether the clock is synchronised.', 'Ещё неизвестно, синхронизированы ли часы.'],
  [
    'The clock of this machine is not synchronised (see "timedatectl"). Where it can not be, write "clock: any" into the site file.',
    'Часы этой машины не синхронизированы (см. timedatectl). Если их нельзя синхронизировать, напишите в файл площадки «clock: any».',
  ],
  [
    'The clock was set {*way} by {by}. It is trusted again when it has gone on evenly for a while.',
    'Часы переведены {*way} на {by}. Им снова доверяют, когда они какое-то время идут ровно.',
  ],

  // Instruments.
  ['It answers.', 'Отвечает.'],
  ['No good reading of {names}.', 'Нет хороших показаний: {names}.'],
  ['The last poll', 'Последний опрос'],
  ['The last {n} polls', 'Последние опросы ({n})'],

  // Alarms.
  ['{what} is lost. {*why}', '{what}: нет связи. {*why}'],
  ['No worker has it.', 'Им не занят ни один исполнитель.'],
  [
    'Nobody has spoken to {what} yet. Is a worker running on its host?',
    '{what}: с прибором ещё никто не говорил. Запущен ли исполнитель на его машине?',
  ],
  [
    'Worker {id} on {host} has not been heard of for {time} and has not ended in order.{had}',
    'Исполнитель {id} на {host} молчит уже {time} и не завершился по порядку.{had}',
  ],
  [
    'Scheduler {id} ended without a word, and {*since}: for {time} nobody looked after runs, schedules and alarms.',
    'Планировщик {id} пропал без предупреждения; {*since}. За запусками, расписаниями и тревогами никто не следил {time}.',
  ],
  ['it has begun anew', 'он запущен заново'],
  ['{id} leads now', 'теперь ведёт {id}'],
  ["{name} can't be told of alarms: {why}", '{name}: не удаётся сообщать о тревогах ({why}).'],
  ["The site's clock was set {*way} by {by}.", 'Часы площадки переведены {*way} на {by}.'],
  ['forward', 'вперёд'],
  ['back', 'назад'],
  [
    '{what} was without power, and {names} is no longer as before: which values win?',
    '{what}: не было питания, и {names} уже не как прежде. Какие значения верны?',
  ],
  ['Interlock {name} has tripped: {*why}', 'Сработала блокировка {name}: {*why}'],
  [
    'Run {id} of {name} wants to be told how to go on: {*why}',
    'Запуск {id} ({name}) спрашивает, как продолжать: {*why}',
  ],
  ['Run {id} of {name} was paused, and by nobody: {*why}', 'Запуск {id} ({name}) встал на паузу сам: {*why}'],
  ['Run {id} of {name} has failed: {*why}', 'Запуск {id} ({name}) не удался: {*why}'],
  ['Run {id} of {name} was aborted: {*why}', 'Запуск {id} ({name}) прерван: {*why}'],
  ['Run {id} of {name} goes on{where}.', 'идёт запуск {id} ({name}){where}.'],
  ['Run {id} of {name} inhibits it{where}.', 'её приглушает запуск {id} ({name}){where}.'],
  ['{what} has not been read for {time} ({why}).', '{what}: нет показаний уже {time} ({why}).'],
  ['{what} has not been read for {time}.', '{what}: нет показаний уже {time}.'],
  ['{what} was never read ({why}).', '{what}: показаний не было ни разу ({why}).'],
  ['{what} was never read.', '{what}: показаний не было ни разу.'],
  [
    '{what} is {value}, more than {by} away from {from}.',
    '{what}: {value}, отличается от {from} больше чем на {by}.',
  ],
  ['{what} is {value}, above {limit}.', '{what}: {value}, выше {limit}.'],
  ['{what} is {value}, below {limit}.', '{what}: {value}, ниже {limit}.'],
  ['{what} is {value}, above {limit}', '{what}: {value}, выше {limit}'],
  ['{what} is {value}, below {limit}', '{what}: {value}, ниже {limit}'],

  // What to do about them.
  ['Look at its power, its cable and its address.', 'Проверьте питание, кабель и адрес.'],
  ['Replace or refill it, then reset its counters.', 'Замените или пополните, затем сбросьте счётчики.'],
  ['Look what has made it trip, then reset it.', 'Выясните, почему она сработала, затем сбросьте её.'],
  [
    'Its instruments are neither read nor commanded unless another worker has taken them over. Look at the machine and at the log of its worker.',
    'Его приборы не читаются и не управляются, пока их не взял другой исполнитель. Проверьте машину и журнал исполнителя.',
  ],
  ['Look at the run and choose how it goes on.', 'Посмотрите на запуск и выберите, как ему продолжаться.'],
  [
    'Look at the run and its instruments, then resume, stop or abort it.',
    'Посмотрите на запуск и его приборы, затем продолжите, остановите или прервите его.',
  ],
  [
    'Look at the run, its instruments and the log, and start it anew.',
    'Посмотрите на запуск, его приборы и журнал и запустите заново.',
  ],
  [
    'Say on its page which values win: those it has now, those from before, or the safe ones.',
    'Выберите на его странице, какие значения верны: нынешние, прежние или безопасные.',
  ],
  [
    'Look at "notify" in site.yaml and at the server it uses.',
    'Проверьте «notify» в site.yaml и его сервер.',
  ],
  ['Look at the log of the scheduler that ended.', 'Посмотрите журнал пропавшего планировщика.'],
  [
    'No archiver has been heard of for {time}: what is read waits in Redis.',
    'Архиватор молчит уже {time}: прочитанное ждёт в Redis.',
  ],
  [
    '{count} entries of at most {most} wait for the archiver.',
    'Архиватора ждут {count} записей, помещается {most}.',
  ],
  ['The disk of the archive has {mb} MB left.{soon}', 'На диске архива осталось {mb} МБ.{soon}'],
  ['The disk of the archive is full ({why}).', 'Диск архива полон ({why}).'],
  ["The archive can't be written: {why}", 'Архив не записывается: {why}'],
  ['The disk is slow: a transaction took {ms} ms.', 'Диск медленный: запись заняла {ms} мс.'],
  [
    'Readings wait in Redis until one is there. Look at its log, and start it: golem start-archive.',
    'Показания ждут в Redis, пока он не появится. Посмотрите его журнал и запустите: golem start-archive.',
  ],
  [
    'When it is full the oldest readings are lost. Start an archiver, or see what holds it up.',
    'Когда место кончится, старейшие показания пропадут. Запустите архиватор или выясните, что ему мешает.',
  ],
  [
    'Make room on the disk of the archive, or keep less: "archive: keep" in site.yaml.',
    'Освободите диск архива или храните меньше: «archive: keep» в site.yaml.',
  ],
  [
    'Look at the log of the archiver and at its file or database.',
    'Посмотрите журнал архиватора и его файл или базу данных.',
  ],
  [
    'See what else uses the disk of the archive, or put the archive on a faster one.',
    'Выясните, что ещё занимает диск архива, или перенесите архив на более быстрый.',
  ],
  ['It told nothing new for too long.', 'Слишком долго не было ничего нового.'],
  ['No worker is in charge of it.', 'Прибором никто не занимается.'],
  ['No scheduler computes it.', 'Ни один планировщик это не вычисляет.'],
  ['Its worker was started anew.', 'Его исполнитель был запущен заново.'],
  ['Its worker {id} is silent since {time}.', 'Его исполнитель {id} молчит с {time}.'],
  ['Redis was away for {time} s.', 'Redis не было {time} с.'],
  ['Redis was restarted without its last entries.', 'Redis запущен заново без последних записей.'],
  [
    'The archiver was away for too long: {count} entries were pushed out of the stream.',
    'Архиватора не было слишком долго: вытеснено записей: {count}.',
  ],
  ['{count} entries did not fit into its worker.', '{count} записей не поместились у исполнителя.'],
  ['The site does not have it any more.', 'На площадке этого больше нет.'],
  ['The site does not archive it any more.', 'Площадка это больше не архивирует.'],
  [
    'Calendar times wait for it. Have all machines set their clocks by the same time server.',
    'Старты по календарю ждут этого. Настройте на всех машинах один сервер времени.',
  ],
  [
    'Times in the log from before and after do not fit together.',
    'Времена в журнале до и после этого не сходятся.',
  ],

  ['{*what} failed: {*why}', '{*what}: неудача. {*why}'],
  [
    'The instrument at {where} could not be {*doing}: {*why}',
    'прибор по адресу {where} не удалось {*doing}: {*why}',
  ],
  ['identified', 'опознать'],
  ['initialised', 'подготовить'],
  ['{where}: no answer within {ms} ms.', '{where}: нет ответа за {ms} мс.'],
]
