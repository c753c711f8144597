"""The nouns for buildings, rooms and landscapes; ``nouns`` says what the columns mean."""

# english[/plural] | french[/plural] gender | kinds
PLACES = """
house      | maison f       | building indoors home
castle     | château m      | building indoors home venue shared
school     | école f        | building indoors venue
hospital   | hôpital m      | building indoors venue shared
church     | église f       | building indoors venue shared
hotel      | hôtel m        | building indoors venue shared
shop       | magasin m      | building indoors venue shared
restaurant | restaurant m   | building indoors venue shared
library    | bibliothèque f | building indoors venue shared
kitchen    | cuisine f      | indoors room
room       | chambre f      | indoors room
garden     | jardin m       | outdoors
park       | parc m         | outdoors venue shared
street     | rue f          | outdoors long shared
forest     | forêt f        | outdoors wild shared
village    | village m      | outdoors home town
city       | ville f        | outdoors home town
market     | marché m       | venue market shared
station    | gare f         | building venue landmark shared
beach      | plage f        | ground venue wild shared
bridge     | pont m         | ground landmark shade shared
river      | rivière f      | water wild shared
sea        | mer f          | water wild shared
apartment  | appartement m  | indoors home building
garage     | garage m       | building indoors
factory    | usine f        | building indoors venue shared
farm       | ferme f        | building venue
bank       | banque f       | building indoors venue shared
museum     | musée m        | building indoors venue shared
theatre    | théâtre m      | building indoors venue shared
cinema     | cinéma m       | building indoors venue shared
bakery     | boulangerie f  | building indoors venue shared
pharmacy   | pharmacie f    | building indoors venue shared
university | université f   | building indoors venue shared
airport    | aéroport m     | building venue shared
tower      | tour f         | building landmark shared
wall       | mur m          | landmark
fountain   | fontaine f     | landmark shared
cellar     | cave f         | indoors room
attic      | grenier m      | indoors room
field      | champ m        | outdoors
valley     | vallée f       | outdoors wild shared
island     | île f          | ground wild shared
hill       | colline f      | ground wild shared
path       | chemin m       | ground long shared
square     | place f        | ground shared
road       | route f        | ground long shared
mountain   | montagne f     | landmark wild shared
lake       | lac m          | water wild shared
pool       | piscine f      | water venue
"""
