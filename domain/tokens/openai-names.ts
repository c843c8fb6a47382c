/** Whether a model's name is one of OpenAI's. */
export const isOpenai = (model: string): boolean => /gpt|(?:^|[/.])o[134](?:$|[-:@])|computer-use/i.test(model);
