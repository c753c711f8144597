"""The nouns for things, food and ideas; ``nouns`` says what the columns mean."""

# english[/plural] | french[/plural] gender | kinds
THINGS = """
apple           | pomme f        | food fruit
pear            | poire f        | food fruit
tomato/tomatoes | tomate f       | food fruit
strawberry      | fraise f       | food fruit
banana          | banane f       | food
orange          | orange f       | food
egg             | œuf m          | food dish
cake            | gâteau m       | food dish
sandwich        | sandwich m     | food dish
bread           | pain m         | food mass
cheese          | fromage m      | food mass
meat            | viande f       | food mass dish
rice            | riz m          | food mass dish
soup            | soupe f        | food mass dish
fish            | poisson m      | food mass dish
chocolate       | chocolat m     | food mass
cherry          | cerise f       | food fruit
peach           | pêche f        | food fruit
lemon           | citron m       | food
carrot          | carotte f      | food vegetable
onion           | oignon m       | food vegetable
biscuit         | biscuit m      | food dish
pizza           | pizza f        | food dish
salad           | salade f       | food mass dish
chicken         | poulet m       | food mass dish
ham             | jambon m       | food mass
butter          | beurre m       | food mass
sugar           | sucre m        | food mass
honey           | miel m         | food mass
jam             | confiture f    | food mass
water           | eau f          | drink mass plain
milk            | lait m         | drink mass plain
coffee          | café m         | drink mass
tea             | thé m          | drink mass
wine            | vin m          | drink mass
beer            | bière f        | drink mass
juice           | jus m          | drink mass
lemonade        | limonade f     | drink mass
money           | argent m       | mass wealth
book            | livre m        | object text long
letter          | lettre f       | object text long
newspaper       | journal m      | object text
poem            | poème m        | object text
novel           | roman m        | object text long
magazine        | magazine m     | object text
dictionary      | dictionnaire m | object text
message         | message m      | object text
story           | histoire f     | tale long
song            | chanson f      | tale long
film            | film m         | show long
word            | mot m          | idea
question        | question f     | idea
problem         | problème m     | idea
lesson          | leçon f        | idea study
rule            | règle f        | idea study
exercise        | exercice m     | idea study
language        | langue f       | idea study
flower          | fleur f        | object plant
tree            | arbre m        | plant landmark shade
rose            | rose f         | object plant
cup             | tasse f        | object fragile vessel
glass           | verre m        | object fragile vessel
bottle          | bouteille f    | object fragile vessel
lamp            | lampe f        | object fragile
toy             | jouet m        | object fragile
doll            | poupée f       | object fragile
plate           | assiette f     | object fragile
mirror          | miroir m       | object fragile
guitar          | guitare f      | object fragile
computer        | ordinateur m   | object machine
phone           | téléphone m    | object machine
watch           | montre f       | object machine
radio           | radio f        | object machine
television      | télévision f   | object machine
box             | boîte f        | object container
bag             | sac m          | object container
suitcase        | valise f       | object container
key             | clé f          | object
knife/knives    | couteau m      | object
umbrella        | parapluie m    | object
ring            | bague f        | object
gift            | cadeau m       | object
axe             | *hache f       | object
pen             | stylo m        | object
pencil          | crayon m       | object
notebook        | cahier m       | object
map             | carte f        | object
photo           | photo f        | object
ticket          | billet m       | object
ball            | ballon m       | object
candle          | bougie f       | object
fork            | fourchette f   | object
spoon           | cuillère f     | object
blanket         | couverture f   | object
towel           | serviette f    | object
hammer          | marteau m      | object
rope            | corde f        | object long
ladder          | échelle f      | object long
basket          | panier m       | object
door            | porte f        | opening
window          | fenêtre f      | opening
drawer          | tiroir m       | opening
table           | table f        | furniture
chair           | chaise f       | furniture
bed             | lit m          | furniture
sofa            | canapé m       | furniture
armchair        | fauteuil m     | furniture
desk            | bureau m       | furniture
wardrobe        | armoire f      | furniture
carpet          | tapis m        | furniture
hat             | chapeau m      | clothing
coat            | manteau m      | clothing
shirt           | chemise f      | clothing
dress           | robe f         | clothing
shoe            | chaussure f    | clothing
scarf/scarves   | écharpe f      | clothing
jacket          | veste f        | clothing
skirt           | jupe f         | clothing
sock            | chaussette f   | clothing
boot            | botte f        | clothing
glove           | gant m         | clothing
belt            | ceinture f     | clothing
sweater         | pull m         | clothing
car             | voiture f      | vehicle drivable
bike            | vélo m         | vehicle
boat            | bateau m       | vehicle
train           | train m        | vehicle transport shared
bus             | bus m          | vehicle transport shared drivable
plane           | avion m        | vehicle shared
truck           | camion m       | vehicle drivable
taxi            | taxi m         | vehicle drivable
tractor         | tracteur m     | vehicle drivable
"""
